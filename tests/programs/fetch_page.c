/*
 * fetch_page.c - the page-fetch example of the threading documents, as it is written there: a thread of the pool asks
 * the reactor for a page with a blocking call, and prints it, or why there is none; then it has the reactor stop. What
 * the documents fetch from the Internet comes from a server in the same reactor.
 *
 *     def inThread():
 *         try:
 *             result = threads.blockingCallFromThread(reactor, getPage, "http://...")
 *         except Error as exc:
 *             print(exc)
 *         else:
 *             print(result)
 *         reactor.callFromThread(reactor.stop)
 *     reactor.callInThread(inThread)
 *     reactor.run()
 *
 * usage: fetch_page [PATH]   (default "/", which is there)
 */
#include <solo/http.h>
#include <solo/solo.h>
#include <stdio.h>
#include <string.h>

static struct solo_reactor *reactor;
static char url[256];

static SOLO_REACTOR_ONLY struct solo_result get_page(void *arg)
{
    struct solo_deferred *page;
    int status = solo_get_page(reactor, arg, &page);
    return status < 0 ? solo_failure(status) : solo_wait_for(page);
}

static SOLO_REACTOR_ONLY void stop(void *arg)
{
    (void)solo_reactor_stop(arg);
}

static SOLO_POOL_ONLY void in_thread(void *arg)
{
    void *result = NULL;
    int status = solo_blocking_call_from_thread(reactor, get_page, url, &result);
    (void)arg;
    if (status < 0) {
        printf("%s\n", solo_error_text(status));
    } else {
        struct solo_http_message *page = result;
        printf("%s\n", page->body);
        solo_http_message_release(page);
    }
    (void)solo_reactor_call_from_thread(reactor, stop, reactor, NULL);
}

static SOLO_REACTOR_ONLY struct solo_result answer(struct solo_http_exchange *exchange, void *arg)
{
    static const char text[] = "It works.";
    const struct solo_http_message *request;
    (void)arg;
    if (solo_http_get_request(exchange, &request) == 0 && strcmp(request->target, "/") == 0) {
        (void)solo_http_respond(exchange, 200, NULL, text, strlen(text));
    }
    return solo_value(NULL);
}

SOLO_SET_UP int main(int argc, char **argv)
{
    struct solo_http_server *server;
    uint16_t number;
    if (solo_reactor_create(NULL, &reactor) < 0 || solo_http_listen(reactor, 0, answer, NULL, &server) < 0 ||
        solo_http_server_get_number(server, &number) < 0) {
        return 1;
    }
    snprintf(url, sizeof url, "http://localhost:%u%s", number, argc > 1 ? argv[1] : "/");
    (void)solo_reactor_call_in_thread(reactor, in_thread, NULL, NULL);
    int status = solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
    return status < 0;
}
