/*
 * http.h - a small HTTP/1.1 server and client on the kit's transports, for lessons and tests, in both worlds.
 *
 * In libsolo-http; the parser is http-parser. What it is not: no TLS, no compression, no cookies, no proxies, nothing
 * that streams. Messages are whole before anybody sees them, and at most SOLO_HTTP_BODY_MAX bytes long.
 *
 * Source: Twisted's twisted.web, as far as the threading documents use it: getPage and Agent.request.
 */
#ifndef SOLO_HTTP_H
#define SOLO_HTTP_H

#include <solo/deferred.h>
#include <solo/reactor.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SOLO_HTTP_BODY_MAX = 16 * 1024 * 1024, SOLO_HTTP_BACKLOG_MAX = 64 * 1024 };

struct solo_http_server;
struct solo_http_exchange;

/* A request that was received, or a page that was fetched. Everything in it lives as long as it does. */
struct solo_http_message {
    unsigned status;    /* of a page: 200, 404, ...; of a request 0 */
    const char *method; /* of a request: "GET" */
    const char *target; /* of a request: "/path?query" */
    const char *body;   /* with a zero behind its end; never NULL */
    size_t body_size;
};

/* The value of a header, whatever the case of its name; the first of several. NULL: there is none. */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_http_header(const struct solo_http_message *message, const char *name);

/* ---- Server ---- */

/*
 * Answers a request: calls solo_http_respond and returns a value, now or later with solo_wait_for; then the response is
 * sent. A failure without a response is answered with status 500, a value without one with 404. If the connection is
 * lost first, the Deferred that is waited for is cancelled. The exchange is there until then.
 */
typedef struct solo_result (*solo_http_handler_fn)(struct solo_http_exchange *exchange, void *arg);

/*
 * Listens on 127.0.0.1:port (0: a free one) and gives each request to the handler, one at a time for each connection.
 * The server ends by itself, with its last connection, after solo_http_server_stop or with the reactor. Errors as for
 * solo_reactor_listen_tcp.
 * Runs: handler on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_http_listen(struct solo_reactor *reactor, uint16_t port,
                                                   solo_http_handler_fn handler, void *arg,
                                                   struct solo_http_server **ret_server);

/* The port's number. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_http_server_get_number(struct solo_http_server *server, uint16_t *ret_number);

/* Takes no more connections; those there are go on until the other side ends them. Do not use the server after it. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_http_server_stop(struct solo_http_server *server);

/* What was asked. -EINVAL. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_http_get_request(struct solo_http_exchange *exchange,
                                                        const struct solo_http_message **ret_request);

/*
 * What will be answered; the last one counts. The body is copied. content_type may be NULL: "text/plain". -EINVAL: a
 * status that is not 200 to 599. -ENOMEM; -EMSGSIZE.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_http_respond(struct solo_http_exchange *exchange, unsigned status,
                                                    const char *content_type, const void *body, size_t size);

/* ---- Client ---- */

/*
 * Makes a request of its own connection: looks up the host, connects, sends `method` with the body (which is copied and
 * may be empty), and reads the answer. The Deferred's value is a struct solo_http_message, whatever its status; whoever
 * takes it ends it with solo_http_message_release. Failures: of the look-up and of the connection; -EPROTO: what came
 * back is not HTTP; -EMSGSIZE; SOLO_ECONNLOST: it ended too early. Cancelling it closes the connection. -EINVAL: not an
 * http:// URL, or no method. -ENOMEM, SOLO_ECLOSING.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_http_request(struct solo_reactor *reactor, const char *method, const char *url,
                                                    const void *body, size_t size, struct solo_deferred **ret_deferred);

/*
 * A GET that fails where there is no page: with -ENOENT for status 404 and 410, -EREMOTEIO for any other from 300 on.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_get_page(struct solo_reactor *reactor, const char *url,
                                                struct solo_deferred **ret_deferred);

/* Ends a message that a client got. Accepts NULL. */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_http_message_release(struct solo_http_message *message);

#ifdef __cplusplus
}
#endif
#endif
