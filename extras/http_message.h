/* http_message.h - one HTTP message while it is read, and afterwards. Private to extras/. */
#ifndef SOLO__HTTP_MESSAGE_H
#define SOLO__HTTP_MESSAGE_H

#include <http_parser.h>
#include <solo/http.h>
#include <stdbool.h>

struct text {
    char *bytes;
    size_t used, size;
};

/* Appends; false when memory is refused, and then nothing has changed. */
bool solo__text_append(struct text *text, const void *data, size_t size);

struct message {
    struct solo_http_message seen; /* first: what a program sees once is_complete */
    struct http_parser parser;
    struct text target, headers, body; /* headers: name, 0, value, 0, and so on */
    bool in_value;                     /* of a header */
    bool has_no_body;                  /* the answer to HEAD */
    bool is_complete;
    int error; /* why the parser was stopped */
};

void solo__message_begin(struct message *message, enum http_parser_type type);
void solo__message_end(struct message *message); /* gives its memory back; it may begin again */

/* Reads on; size 0 says that no more will come. Returns how much of it belonged to this message, or an error. */
ptrdiff_t solo__message_read(struct message *message, const void *data, size_t size);

/* Whether the connection stays open after it. */
bool solo__message_keeps_alive(const struct message *message);

#endif
