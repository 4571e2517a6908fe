/*
 * http_server.c - requests in, responses out, one at a time for each connection.
 *
 * While a request is with its handler the connection reads on, but what comes is only kept, up to a limit. A connection
 * is there until it is lost and no handler is busy with it; a server until its port has stopped and no connection is
 * left.
 */
#include "http_message.h"
#include <solo/transport.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct solo_http_server {
    struct solo_factory factory; /* first */
    struct solo_reactor *reactor;
    struct solo_port *port;
    solo_http_handler_fn handler;
    void *arg;
    size_t connections;
    bool is_stopped; /* the port is done with the factory */
};

/* One connection is one exchange at a time. */
struct solo_http_exchange {
    struct solo_protocol protocol; /* first */
    struct solo_http_server *server;
    struct solo_deferred *handled; /* the handler's result, while it is busy */
    struct message request;
    struct text kept;     /* that came while the handler was busy */
    struct text response; /* empty: none was given */
    unsigned status;
    bool is_busy; /* the handler is */
    bool is_lost;
};

static void release_if_done(struct solo_http_server *server)
{
    if (server->is_stopped && server->connections == 0) {
        free(server);
    }
}

static void exchange_release_if_done(struct solo_http_exchange *exchange)
{
    struct solo_http_server *server = exchange->server;
    if (!exchange->is_lost || exchange->is_busy) {
        return;
    }
    solo__message_end(&exchange->request);
    free(exchange->kept.bytes);
    free(exchange->response.bytes);
    free(exchange);
    server->connections--;
    release_if_done(server);
}

/* ---- Responses ---- */

static bool make_response(struct solo_http_exchange *exchange, unsigned status, const char *type, const void *body,
                          size_t size)
{
    char head[512];
    struct text *text = &exchange->response;
    bool keeps = solo__message_keeps_alive(&exchange->request);
    int length = snprintf(
        head, sizeof head, "HTTP/1.1 %u %s\r\nContent-Type: %.200s\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n",
        status, http_status_str((enum http_status)status), type, size, keeps ? "keep-alive" : "close");
    bool without_body = exchange->request.parser.method == HTTP_HEAD;
    text->used = 0;
    exchange->status = status;
    return solo__text_append(text, head, (size_t)length) && (without_body || solo__text_append(text, body, size));
}

int solo_http_respond(struct solo_http_exchange *exchange, unsigned status, const char *content_type, const void *body,
                      size_t size)
{
    if (exchange == NULL || !exchange->is_busy || status < 200 || status > 599 || (body == NULL && size > 0)) {
        return -EINVAL;
    }
    if (size > SOLO_HTTP_BODY_MAX) {
        return -EMSGSIZE;
    }

    if (!make_response(exchange, status, content_type != NULL ? content_type : "text/plain", body, size)) {
        exchange->response.used = 0;
        return -ENOMEM;
    }
    return 0;
}

static void send_status(struct solo_http_exchange *exchange, unsigned status)
{
    const char *text = http_status_str((enum http_status)status);
    if (!make_response(exchange, status, "text/plain", text, strlen(text))) {
        exchange->response.used = 0;
    }
}

/* Sends it; without memory for even that, the connection is all that can be given up. */
static void send_response(struct solo_http_exchange *exchange)
{
    struct solo_transport *transport = exchange->protocol.transport;
    bool is_sent = exchange->response.used > 0 &&
                   solo_transport_write(transport, exchange->response.bytes, exchange->response.used) == 0;
    if (!is_sent) {
        (void)solo_transport_abort_connection(transport);
    } else if (!solo__message_keeps_alive(&exchange->request)) {
        (void)solo_transport_lose_connection(transport);
    }
}

/* ---- Requests ---- */

static void read_on(struct solo_http_exchange *exchange, const void *data, size_t size);

/* The handler is done: what it said, or what its status says, is sent, and the next request has its turn. */
static void answer(struct solo_http_exchange *exchange, int status)
{
    if (!exchange->is_lost) {
        if (exchange->response.used == 0) {
            send_status(exchange, status < 0 ? 500 : 404);
        }
        send_response(exchange);
    }
    bool goes_on = !exchange->is_lost && solo__message_keeps_alive(&exchange->request);
    exchange->is_busy = false;
    (void)solo_deferred_release(exchange->handled);
    exchange->handled = NULL;
    exchange->response.used = 0;
    solo__message_end(&exchange->request);
    solo__message_begin(&exchange->request, HTTP_REQUEST);
    if (goes_on && exchange->kept.used > 0) {
        struct text kept = exchange->kept;
        exchange->kept = (struct text){NULL, 0, 0};
        read_on(exchange, kept.bytes, kept.used);
        free(kept.bytes);
    }
}

static struct solo_result finish(struct solo_result result, void *arg)
{
    answer(arg, result.status);
    exchange_release_if_done(arg); /* never while it reads: connection_lost comes in a later pass */
    return solo_value(NULL);
}

static struct solo_result handle(void *arg)
{
    struct solo_http_exchange *exchange = arg;
    return exchange->server->handler(exchange, exchange->server->arg);
}

static void dispatch(struct solo_http_exchange *exchange)
{
    exchange->is_busy = true;
    int status = solo_maybe_deferred(exchange->server->reactor, handle, exchange, &exchange->handled);
    if (status == 0) {
        status = solo_deferred_add(exchange->handled, finish, finish, exchange);
    }
    if (status < 0) {
        answer(exchange, status);
    }
}

static void refuse(struct solo_http_exchange *exchange, int error)
{
    exchange->request.parser.http_major = 0; /* whatever it was, the connection does not outlive it */
    send_status(exchange, error == -EMSGSIZE ? 413 : error == -EPROTO ? 400 : 503);
    send_response(exchange);
    (void)solo_transport_lose_connection(exchange->protocol.transport);
}

static void keep(struct solo_http_exchange *exchange, const void *data, size_t size)
{
    if (exchange->kept.used + size > SOLO_HTTP_BACKLOG_MAX || !solo__text_append(&exchange->kept, data, size)) {
        (void)solo_transport_abort_connection(exchange->protocol.transport);
    }
}

static void read_on(struct solo_http_exchange *exchange, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0 && !exchange->is_lost) {
        if (exchange->is_busy) {
            keep(exchange, at, size);
            return;
        }
        ptrdiff_t read = solo__message_read(&exchange->request, at, size);
        if (read < 0) {
            refuse(exchange, (int)read);
            return;
        }
        at += read;
        size -= (size_t)read;
        if (exchange->request.is_complete) {
            bool is_last = !solo__message_keeps_alive(&exchange->request);
            dispatch(exchange);
            if (is_last) {
                return; /* and what comes behind it is nothing */
            }
        }
    }
}

/* ---- The protocol ---- */

static void data_received(struct solo_protocol *protocol, const void *data, size_t size)
{
    enum solo_transport_state state;
    if (solo_transport_get_state(protocol->transport, &state) == 0 && state == SOLO_TRANSPORT_OPEN) {
        read_on((struct solo_http_exchange *)protocol, data, size);
    }
}

static void connection_lost(struct solo_protocol *protocol, int reason)
{
    struct solo_http_exchange *exchange = (struct solo_http_exchange *)protocol;
    (void)reason;
    exchange->is_lost = true;
    if (exchange->handled != NULL) {
        (void)solo_deferred_cancel(exchange->handled); /* which ends it; maybe all of it */
    } else {
        exchange_release_if_done(exchange);
    }
}

static struct solo_protocol *build(struct solo_factory *factory)
{
    static const struct solo_protocol_ops ops = {.data_received = data_received, .connection_lost = connection_lost};
    struct solo_http_server *server = (struct solo_http_server *)factory;
    struct solo_http_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        return NULL;
    }
    exchange->protocol.ops = &ops;
    exchange->server = server;
    solo__message_begin(&exchange->request, HTTP_REQUEST);
    server->connections++;
    return &exchange->protocol;
}

static void stopped(struct solo_factory *factory)
{
    struct solo_http_server *server = (struct solo_http_server *)factory;
    server->is_stopped = true;
    release_if_done(server);
}

/* ---- The public functions ---- */

int solo_http_listen(struct solo_reactor *reactor, uint16_t port, solo_http_handler_fn handler, void *arg,
                     struct solo_http_server **ret_server)
{
    if (handler == NULL || ret_server == NULL) {
        return -EINVAL;
    }

    struct solo_http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return -ENOMEM;
    }
    server->factory.build_protocol = build;
    server->factory.stopped = stopped;
    server->reactor = reactor;
    server->handler = handler;
    server->arg = arg;
    int status = solo_reactor_listen_tcp(reactor, port, &server->factory, &server->port);
    if (status < 0) {
        free(server);
        return status;
    }
    *ret_server = server;
    return 0;
}

int solo_http_server_get_number(struct solo_http_server *server, uint16_t *ret_number)
{
    return server == NULL ? -EINVAL : solo_port_get_number(server->port, ret_number);
}

int solo_http_server_stop(struct solo_http_server *server)
{
    return server == NULL ? -EINVAL : solo_port_stop_listening(server->port);
}

int solo_http_get_request(struct solo_http_exchange *exchange, const struct solo_http_message **ret_request)
{
    if (exchange == NULL || !exchange->is_busy || ret_request == NULL) {
        return -EINVAL;
    }

    *ret_request = &exchange->request.seen;
    return 0;
}
