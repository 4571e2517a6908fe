/*
 * http_client.c - one request, one connection, one answer.
 *
 * A fetch is there until its connector is done with it. The Deferred
 * that it fires is the inner one of that which the caller got: the caller may release his, and it still has one to
 * fire.
 */
#include "http_message.h"
#include <solo/names.h>
#include <solo/transport.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_DEFAULT = 80 };

struct fetch {
    struct solo_factory factory; /* first: the connector's */
    struct solo_protocol protocol;
    struct solo_reactor *reactor;
    struct solo_deferred *deferred; /* NULL: answered or cancelled */
    struct solo_connector *connector;
    struct message *answer; /* the caller's once it is complete */
    struct text request;
    uint16_t port;
    char host[SOLO_NAME_MAX + 1];
};

void solo_http_message_release(struct solo_http_message *message)
{
    if (message != NULL) {
        solo__message_end((struct message *)message);
        free(message);
    }
}

static void release(struct fetch *fetch)
{
    if (fetch->answer != NULL) {
        solo_http_message_release(&fetch->answer->seen);
    }
    free(fetch->request.bytes);
    free(fetch);
}

/* The first answer counts. */
static void answer(struct fetch *fetch, struct solo_result result)
{
    struct solo_deferred *deferred = fetch->deferred;
    fetch->deferred = NULL;
    if (deferred != NULL) {
        (void)solo_deferred_fire(deferred, result);
    }
}

static void answer_page(struct fetch *fetch)
{
    struct message *page = fetch->answer;
    if (fetch->deferred != NULL) {
        fetch->answer = NULL;
        answer(fetch, solo_value(&page->seen));
    }
}

/* ---- The connection ---- */

static struct fetch *fetch_of(struct solo_protocol *protocol)
{
    return (struct fetch *)((char *)protocol - offsetof(struct fetch, protocol));
}

static void connection_made(struct solo_protocol *protocol)
{
    struct fetch *fetch = fetch_of(protocol);
    int status = solo_transport_write(protocol->transport, fetch->request.bytes, fetch->request.used);
    if (status < 0) {
        answer(fetch, solo_failure(status));
        (void)solo_transport_abort_connection(protocol->transport);
    }
}

static void data_received(struct solo_protocol *protocol, const void *data, size_t size)
{
    struct fetch *fetch = fetch_of(protocol);
    if (fetch->deferred == NULL) {
        return;
    }
    ptrdiff_t read = solo__message_read(fetch->answer, data, size);
    if (read < 0) {
        answer(fetch, solo_failure((int)read));
        (void)solo_transport_abort_connection(protocol->transport);
    } else if (fetch->answer->is_complete) {
        (void)solo_transport_lose_connection(protocol->transport);
        answer_page(fetch);
    }
}

/* Without a length, the end of the connection is the end of the page. */
static void connection_lost(struct solo_protocol *protocol, int reason)
{
    struct fetch *fetch = fetch_of(protocol);
    if (fetch->deferred == NULL) {
        return;
    }
    if (reason == SOLO_ECONNDONE) {
        (void)solo__message_read(fetch->answer, "", 0);
        if (fetch->answer->is_complete) {
            answer_page(fetch);
            return;
        }
    }
    answer(fetch, solo_failure(reason == SOLO_ECONNDONE ? SOLO_ECONNLOST : reason));
}

static struct solo_protocol *build(struct solo_factory *factory)
{
    static const struct solo_protocol_ops ops = {
        .connection_made = connection_made, .data_received = data_received, .connection_lost = connection_lost};
    struct fetch *fetch = (struct fetch *)factory;
    fetch->protocol.ops = &ops;
    return &fetch->protocol;
}

static void connection_failed(struct solo_factory *factory, int reason)
{
    answer((struct fetch *)factory, solo_failure(reason));
}

static void stopped(struct solo_factory *factory)
{
    struct fetch *fetch = (struct fetch *)factory;
    answer(fetch, solo_failure(SOLO_ECONNLOST));
    release(fetch);
}

/* ---- The way there ---- */

static void cancelled(struct solo_deferred *deferred, void *arg)
{
    struct fetch *fetch = arg;
    (void)deferred;
    fetch->deferred = NULL;
    (void)solo_connector_disconnect(fetch->connector);
}

/* "http://host:port/target": the parser knows where the parts are. */
static int take_url(struct fetch *fetch, const char *url, const char **ret_target)
{
    struct http_parser_url parts;
    http_parser_url_init(&parts);
    if (strncmp(url, "http://", 7) != 0 || http_parser_parse_url(url, strlen(url), 0, &parts) != 0 ||
        parts.field_data[UF_HOST].len > SOLO_NAME_MAX) {
        return -EINVAL;
    }
    memcpy(fetch->host, url + parts.field_data[UF_HOST].off, parts.field_data[UF_HOST].len);
    fetch->port = parts.port != 0 ? parts.port : PORT_DEFAULT;
    *ret_target = "";
    if ((parts.field_set & 1 << UF_PATH) != 0) {
        *ret_target = url + parts.field_data[UF_PATH].off;
    } else if ((parts.field_set & 1 << UF_QUERY) != 0) {
        *ret_target = url + parts.field_data[UF_QUERY].off - 1; /* with its question mark */
    }
    return 0;
}

static bool make_request(struct fetch *fetch, const char *method, const char *target, const void *body, size_t size)
{
    char rest[SOLO_NAME_MAX + 128];
    size_t target_size = strcspn(target, "#");
    bool is_inet6 = strchr(fetch->host, ':') != NULL;
    const char *slash = *target == '/' ? "" : "/";
    snprintf(rest, sizeof rest, " HTTP/1.1\r\nHost: %s%s%s:%u\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
             is_inet6 ? "[" : "", fetch->host, is_inet6 ? "]" : "", fetch->port, size);
    return solo__text_append(&fetch->request, method, strlen(method)) && solo__text_append(&fetch->request, " ", 1) &&
           solo__text_append(&fetch->request, slash, strlen(slash)) &&
           solo__text_append(&fetch->request, target, target_size) &&
           solo__text_append(&fetch->request, rest, strlen(rest)) && solo__text_append(&fetch->request, body, size);
}

static int make(struct solo_reactor *reactor, const char *method, const char *url, const void *body, size_t size,
                struct fetch **ret_fetch)
{
    const char *target;
    struct fetch *fetch = calloc(1, sizeof *fetch);
    if (fetch == NULL) {
        return -ENOMEM;
    }
    fetch->reactor = reactor;
    fetch->factory.build_protocol = build;
    fetch->factory.connection_failed = connection_failed;
    fetch->factory.stopped = stopped;
    int status = take_url(fetch, url, &target);
    if (status == 0) {
        fetch->answer = calloc(1, sizeof *fetch->answer);
        status = fetch->answer != NULL && make_request(fetch, method, target, body, size) ? 0 : -ENOMEM;
    }
    if (status < 0) {
        release(fetch);
        return status;
    }
    solo__message_begin(fetch->answer, HTTP_RESPONSE);
    fetch->answer->has_no_body = strcmp(method, "HEAD") == 0;
    *ret_fetch = fetch;
    return 0;
}

static void give_up(struct solo_deferred *deferred)
{
    if (deferred != NULL) {
        (void)solo_deferred_fire(deferred, solo_value(NULL));
        (void)solo_deferred_release(deferred);
    }
}

int solo_http_request(struct solo_reactor *reactor, const char *method, const char *url, const void *body, size_t size,
                      struct solo_deferred **ret_deferred)
{
    struct solo_deferred *inner = NULL, *outer = NULL;
    struct fetch *fetch;
    if (method == NULL || *method == '\0' || url == NULL || (body == NULL && size > 0) || ret_deferred == NULL) {
        return -EINVAL;
    }
    int status = make(reactor, method, url, body, size, &fetch);
    if (status < 0) {
        return status;
    }

    status = solo_deferred_create(reactor, cancelled, fetch, &inner);
    if (status == 0) {
        status = solo_deferred_create(reactor, NULL, NULL, &outer);
    }
    if (status == 0) {
        status = solo_reactor_connect_tcp(reactor, fetch->host, fetch->port, &fetch->factory, &fetch->connector);
    }
    if (status < 0) {
        give_up(inner);
        give_up(outer);
        release(fetch);
        return status;
    }
    fetch->deferred = inner;
    (void)solo_deferred_fire(outer, solo_wait_for(inner));
    *ret_deferred = outer;
    return 0;
}

/* ---- Pages ---- */

static struct solo_result take_page(struct solo_result result, void *arg)
{
    struct solo_http_message *page = result.value;
    unsigned status = page->status;
    (void)arg;
    if (status < 300) {
        return result;
    }
    solo_http_message_release(page);
    return solo_failure(status == 404 || status == 410 ? -ENOENT : -EREMOTEIO);
}

int solo_get_page(struct solo_reactor *reactor, const char *url, struct solo_deferred **ret_deferred)
{
    int status = solo_http_request(reactor, "GET", url, NULL, 0, ret_deferred);
    return status < 0 ? status : solo_deferred_add(*ret_deferred, take_page, NULL, NULL);
}
