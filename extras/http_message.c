/* http_message.c - one HTTP message: what the parser finds is collected, and shown when it is whole. */
#include "http_message.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool solo__text_append(struct text *text, const void *data, size_t size)
{
    if (text->used + size + 1 > text->size) { /* one more for a zero behind it */
        size_t wanted = (text->used + size + 1) * 2;
        char *bytes = realloc(text->bytes, wanted);
        if (bytes == NULL) {
            return false;
        }
        text->bytes = bytes;
        text->size = wanted;
    }
    if (size > 0) {
        memcpy(text->bytes + text->used, data, size);
    }
    text->used += size;
    text->bytes[text->used] = '\0';
    return true;
}

static int collect(struct message *message, struct text *text, const char *data, size_t size)
{
    if (!solo__text_append(text, data, size)) {
        message->error = -ENOMEM;
        return 1;
    }
    return 0;
}

/* ---- What the parser says ---- */

static int on_url(http_parser *parser, const char *data, size_t size)
{
    struct message *message = parser->data;
    return collect(message, &message->target, data, size);
}

/* Name and value come in pieces, and never say where they end but by the next one's beginning. */
static int on_field(http_parser *parser, const char *data, size_t size)
{
    struct message *message = parser->data;
    if (message->in_value) {
        message->in_value = false;
        if (collect(message, &message->headers, "", 1) != 0) {
            return 1;
        }
    }
    return collect(message, &message->headers, data, size);
}

static int on_value(http_parser *parser, const char *data, size_t size)
{
    struct message *message = parser->data;
    if (!message->in_value) {
        message->in_value = true;
        if (collect(message, &message->headers, "", 1) != 0) {
            return 1;
        }
    }
    return collect(message, &message->headers, data, size);
}

static int on_headers_complete(http_parser *parser)
{
    struct message *message = parser->data;
    if (message->in_value && collect(message, &message->headers, "", 1) != 0) {
        return -1;
    }
    message->in_value = false;
    return message->has_no_body ? 1 : 0;
}

static int on_body(http_parser *parser, const char *data, size_t size)
{
    struct message *message = parser->data;
    if (message->body.used + size > SOLO_HTTP_BODY_MAX) {
        message->error = -EMSGSIZE;
        return 1;
    }
    return collect(message, &message->body, data, size);
}

static int on_complete(http_parser *parser)
{
    struct message *message = parser->data;
    message->is_complete = true;
    message->seen.status = parser->type == HTTP_RESPONSE ? parser->status_code : 0;
    message->seen.method = parser->type == HTTP_REQUEST ? http_method_str((enum http_method)parser->method) : NULL;
    message->seen.target = message->target.bytes;
    message->seen.body = message->body.bytes != NULL ? message->body.bytes : "";
    message->seen.body_size = message->body.used;
    http_parser_pause(parser, 1); /* what comes next is another message's */
    return 0;
}

/* ---- Reading one ---- */

void solo__message_begin(struct message *message, enum http_parser_type type)
{
    memset(message, 0, sizeof *message);
    http_parser_init(&message->parser, type);
    message->parser.data = message;
}

void solo__message_end(struct message *message)
{
    free(message->target.bytes);
    free(message->headers.bytes);
    free(message->body.bytes);
    memset(message, 0, sizeof *message);
}

ptrdiff_t solo__message_read(struct message *message, const void *data, size_t size)
{
    static const http_parser_settings settings = {
        .on_url = on_url,
        .on_header_field = on_field,
        .on_header_value = on_value,
        .on_headers_complete = on_headers_complete,
        .on_body = on_body,
        .on_message_complete = on_complete,
    };
    size_t read = http_parser_execute(&message->parser, &settings, data, size);
    enum http_errno error = HTTP_PARSER_ERRNO(&message->parser);
    if (error != HPE_OK && error != HPE_PAUSED) {
        return message->error < 0 ? message->error : -EPROTO;
    }
    return (ptrdiff_t)read;
}

bool solo__message_keeps_alive(const struct message *message)
{
    return http_should_keep_alive(&message->parser) != 0;
}

const char *solo_http_header(const struct solo_http_message *seen, const char *name)
{
    const struct message *message = (const struct message *)seen;
    if (seen == NULL || name == NULL || message->headers.bytes == NULL) {
        return NULL;
    }

    const char *at = message->headers.bytes, *end = at + message->headers.used;
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0) {
            return value;
        }
        at = value + strlen(value) + 1;
    }
    return NULL;
}
