/* test_http.c - the HTTP server and client against each other, and the server against bytes from a plain protocol. */
#include "deferreds.h"
#include <solo/http.h>
#include <stdlib.h>

static struct solo_http_server *server;
static char url[128];
static struct solo_deferred *slow; /* what "/slow" waits for */

/* ---- The server of these tests ---- */

static int respond(struct solo_http_exchange *exchange, unsigned status, const char *text)
{
    return solo_http_respond(exchange, status, NULL, text, strlen(text));
}

static struct solo_result answer(struct solo_http_exchange *exchange, void *arg)
{
    const struct solo_http_message *request = NULL;
    CU_ASSERT_STRING_EQUAL(arg, "arg");
    CU_ASSERT_EQUAL_FATAL(solo_http_get_request(exchange, &request), 0);
    CU_ASSERT_EQUAL(request->status, 0);
    if (strcmp(request->target, "/?x=1") == 0) {
        CU_ASSERT_EQUAL(respond(exchange, 200, "no path"), 0);
    } else if (strcmp(request->target, "/page?x=1") == 0) {
        CU_ASSERT_STRING_EQUAL(request->method, "GET");
        CU_ASSERT_PTR_NOT_NULL(solo_http_header(request, "HOST"));
        CU_ASSERT_PTR_NULL(solo_http_header(request, "Cookie"));
        CU_ASSERT_EQUAL(respond(exchange, 200, "hello"), 0);
    } else if (strcmp(request->target, "/echo") == 0) {
        CU_ASSERT_EQUAL(solo_http_respond(exchange, 201, "text/html", request->body, request->body_size), 0);
    } else if (strcmp(request->target, "/fails") == 0) {
        return solo_failure(-EIO);
    } else if (strcmp(request->target, "/slow") == 0) {
        slow = make();
        CU_ASSERT_EQUAL(respond(exchange, 200, "late"), 0);
        return solo_wait_for(slow);
    } else if (strcmp(request->target, "/wrong") == 0) {
        CU_ASSERT_EQUAL(solo_http_respond(exchange, 99, NULL, "", 0), -EINVAL);
        CU_ASSERT_EQUAL(solo_http_respond(exchange, 200, NULL, NULL, 1), -EINVAL);
        CU_ASSERT_EQUAL(solo_http_respond(exchange, 200, NULL, "", SOLO_HTTP_BODY_MAX + 1), -EMSGSIZE);
        CU_ASSERT_EQUAL(respond(exchange, 200, "first"), 0);
        CU_ASSERT_EQUAL(respond(exchange, 410, "gone"), 0); /* the last one counts */
    }
    return solo_value(NULL);
}

static void begin_server(void)
{
    uint16_t number = 0;
    begin();
    slow = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_http_listen(reactor, 0, answer, "arg", &server), 0);
    CU_ASSERT_EQUAL(solo_http_server_get_number(server, &number), 0);
    snprintf(url, sizeof url, "http://localhost:%u", number);
}

static const char *path(const char *target)
{
    static char whole[256];
    snprintf(whole, sizeof whole, "%s%s", url, target);
    return whole;
}

static struct solo_result stop_it(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_crash(reactor), 0); /* it may run again */
    return previous;
}

/* Runs until it has a result, and returns that. */
static struct solo_result wait_for(struct solo_deferred *deferred)
{
    struct solo_result result = {1, NULL, NULL};
    bool has = false;
    if (!has_result(deferred)) {
        CU_ASSERT_EQUAL(solo_deferred_add(deferred, stop_it, stop_it, NULL), 0);
        CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    }
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, &result), 0);
    CU_ASSERT_TRUE(has);
    release_handled(deferred);
    return result;
}

static struct solo_http_message *request(const char *method, const char *target, const void *body, size_t size)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_http_request(reactor, method, path(target), body, size, &deferred), 0);
    struct solo_result result = wait_for(deferred);
    CU_ASSERT_EQUAL_FATAL(result.status, 0);
    return result.value;
}

static int get_page(const char *target, const char *text)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_get_page(reactor, path(target), &deferred), 0);
    struct solo_result result = wait_for(deferred);
    if (result.status == 0) {
        struct solo_http_message *page = result.value;
        CU_ASSERT_STRING_EQUAL(page->body, text);
        solo_http_message_release(page);
    }
    return result.status;
}

/* ---- Pages ---- */

static void page_body(void)
{
    begin_server();
    CU_ASSERT_EQUAL(get_page("/page?x=1#part", "hello"), 0);
    CU_ASSERT_EQUAL(get_page("?x=1", "no path"), 0);
    CU_ASSERT_EQUAL(get_page("", ""), -ENOENT);
    CU_ASSERT_EQUAL(get_page("/nothing", ""), -ENOENT);
    CU_ASSERT_EQUAL(get_page("/fails", ""), -EREMOTEIO);
    CU_ASSERT_EQUAL(get_page("/wrong", ""), -ENOENT);
    end();
}

static void test_http__a_page_is_fetched(void)
{
    worlds_run(page_body);
}

static void message_body(void)
{
    begin_server();
    struct solo_http_message *page = request("POST", "/echo", "some\0thing", 10);
    CU_ASSERT_EQUAL(page->status, 201);
    CU_ASSERT_EQUAL(page->body_size, 10);
    CU_ASSERT_EQUAL(memcmp(page->body, "some\0thing", 11), 0);
    CU_ASSERT_STRING_EQUAL(solo_http_header(page, "content-type"), "text/html");
    CU_ASSERT_STRING_EQUAL(solo_http_header(page, "Content-Length"), "10");
    CU_ASSERT_PTR_NULL(solo_http_header(page, "Location"));
    solo_http_message_release(page);
    page = request("HEAD", "/nothing", NULL, 0);
    CU_ASSERT_EQUAL(page->status, 404);
    CU_ASSERT_EQUAL(page->body_size, 0);
    solo_http_message_release(page);
    end();
}

static void test_http__head_and_body_arrive_whole(void)
{
    worlds_run(message_body);
}

static void large_body(void)
{
    enum { SIZE = 300000 };
    static char bytes[SIZE];
    memset(bytes, 'x', sizeof bytes);
    begin_server();
    struct solo_http_message *page = request("PUT", "/echo", bytes, sizeof bytes);
    CU_ASSERT_EQUAL(page->body_size, SIZE);
    CU_ASSERT_EQUAL(memcmp(page->body, bytes, sizeof bytes), 0);
    solo_http_message_release(page);
    end();
}

static void test_http__a_body_may_come_in_many_pieces(void)
{
    worlds_run_os(large_body);
    worlds_run_sim(large_body, 2);
}

static struct solo_result fire_slow(struct solo_result previous, void *arg)
{
    (void)arg;
    fire(slow, solo_value(NULL));
    return previous;
}

static void look_for_slow(void *arg)
{
    if (slow == NULL) {
        CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, WORLDS_MS, look_for_slow, arg, NULL, NULL), 0);
    } else {
        (void)fire_slow(solo_value(NULL), NULL);
    }
}

static void slow_body(void)
{
    begin_server();
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, look_for_slow, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(get_page("/slow", "late"), 0);
    end();
}

static void test_http__a_handler_may_answer_later(void)
{
    worlds_run(slow_body);
}

static void refused_body(void)
{
    struct solo_deferred *deferred = NULL;
    begin_server();
    CU_ASSERT_EQUAL(solo_http_server_stop(server), 0);
    int status = get_page("/page?x=1", "");
    CU_ASSERT_TRUE(status == -ECONNREFUSED || status == -ECONNRESET);
    CU_ASSERT_EQUAL(solo_get_page(reactor, "ftp://localhost/", &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_get_page(reactor, "http://", &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_http_request(reactor, "", path("/"), NULL, 0, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_http_request(reactor, "GET", path("/"), NULL, 1, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_http_listen(reactor, 0, NULL, NULL, &server), -EINVAL);
    CU_ASSERT_PTR_NULL(deferred);
    end();
}

static void test_http__where_nobody_listens_it_fails(void)
{
    worlds_run(refused_body);
}

static void cancel_body(void)
{
    struct solo_deferred *deferred = NULL;
    begin_server();
    CU_ASSERT_EQUAL(solo_get_page(reactor, path("/slow"), &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    CU_ASSERT_EQUAL(status_of(deferred), SOLO_ECANCELLED);
    release(deferred);
    CU_ASSERT_EQUAL(solo_get_page(reactor, path("/slow"), &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_add_timeout(deferred, 20 * WORLDS_MS, 0), 0);
    CU_ASSERT_EQUAL(wait_for(deferred).status, -ETIMEDOUT);
    end(); /* what "/slow" waits for is cancelled with its connection */
}

static void test_http__a_request_can_be_cancelled_or_time_out(void)
{
    worlds_run(cancel_body);
}

static void end_body(void)
{
    struct solo_deferred *deferred = NULL;
    begin_server();
    CU_ASSERT_EQUAL(solo_get_page(reactor, path("/page?x=1"), &deferred), 0);
    add_note(deferred, "v");
    end(); /* nothing ever ran */
    noted("!");
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
}

static void test_http__the_end_of_the_reactor_ends_requests(void)
{
    worlds_run(end_body);
}

/* ---- Bytes that no client of the kit would send ---- */

struct raw {
    struct solo_factory factory; /* first */
    struct solo_protocol protocol;
    const char *say;
    char heard[4096];
    size_t size;
};

static struct raw *raw_of(struct solo_protocol *protocol)
{
    return (struct raw *)((char *)protocol - offsetof(struct raw, protocol));
}

static void raw_made(struct solo_protocol *protocol)
{
    const char *say = raw_of(protocol)->say;
    CU_ASSERT_EQUAL(solo_transport_write(protocol->transport, say, strlen(say)), 0);
}

static void raw_heard(struct solo_protocol *protocol, const void *data, size_t size)
{
    struct raw *raw = raw_of(protocol);
    if (raw->size + size < sizeof raw->heard) {
        memcpy(raw->heard + raw->size, data, size);
        raw->size += size;
    }
    if (slow != NULL && !has_result(slow)) {
        fire(slow, solo_value(NULL));
    }
}

static void raw_lost(struct solo_protocol *protocol, int reason)
{
    (void)protocol;
    (void)reason;
    CU_ASSERT_EQUAL(solo_reactor_crash(reactor), 0);
}

static struct solo_protocol *raw_build(struct solo_factory *factory)
{
    static const struct solo_protocol_ops ops = {
        .connection_made = raw_made, .data_received = raw_heard, .connection_lost = raw_lost};
    struct raw *raw = (struct raw *)factory;
    raw->protocol.ops = &ops;
    return &raw->protocol;
}

static const char *say(const char *bytes)
{
    static struct raw raw;
    raw = (struct raw){.factory = {.build_protocol = raw_build}, .say = bytes};
    CU_ASSERT_EQUAL(
        solo_reactor_connect_tcp(reactor, "127.0.0.1", (uint16_t)atoi(strrchr(url, ':') + 1), &raw.factory, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    raw.heard[raw.size] = '\0';
    return raw.heard;
}

static unsigned count(const char *text, const char *what)
{
    unsigned found = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++) {
        found++;
    }
    return found;
}

static void pipelined_body(void)
{
    begin_server();
    const char *heard = say("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
                            "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                            "GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n"
                            "GET /too-late HTTP/1.1\r\n\r\n");
    CU_ASSERT_EQUAL(count(heard, "HTTP/1.1 404 Not Found\r\n"), 2);
    CU_ASSERT_EQUAL(count(heard, "HTTP/1.1 201 Created\r\n"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(heard, "\r\n\r\nabcde"));
    CU_ASSERT_EQUAL(count(heard, "Connection: keep-alive\r\n"), 2);
    CU_ASSERT_EQUAL(count(heard, "Connection: close\r\n"), 1);
    end();
}

static void test_http__requests_in_one_piece_are_answered_in_order(void)
{
    worlds_run(pipelined_body);
}

static struct solo_protocol *build_listener(struct solo_factory *factory)
{
    static const struct solo_protocol_ops ops = {.connection_made = raw_made, .data_received = raw_heard};
    struct raw *raw = (struct raw *)factory;
    raw->protocol.ops = &ops;
    return &raw->protocol;
}

static void six_body(void)
{
    static struct raw raw;
    struct solo_address local = {0};
    struct solo_port *port = NULL;
    uint16_t number = 0;
    char host[64];
    begin();
    slow = NULL;
    raw = (struct raw){.factory = {.build_protocol = build_listener},
                       .say = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nsix"};
    CU_ASSERT_EQUAL(solo_address_inet6("::1", 0, &local), 0);
    CU_ASSERT_EQUAL_FATAL(solo_reactor_listen(reactor, &local, &raw.factory, &port), 0);
    CU_ASSERT_EQUAL(solo_port_get_number(port, &number), 0);
    snprintf(url, sizeof url, "http://[::1]:%u", number);
    snprintf(host, sizeof host, "\r\nHost: [::1]:%u\r\n", number);
    CU_ASSERT_EQUAL(get_page("/", "six"), 0);
    for (int i = 0; i < 100 && strstr(raw.heard, host) == NULL; i++) { /* in pieces */
        CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, UINT64_C(1000000)), 0);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(raw.heard, host));
    end();
}

static void test_http__a_literal_of_ipv6_is_named_in_brackets(void)
{
    worlds_run_sim(six_body, WORLDS_SEEDS);
}

static void garbage_body(void)
{
    begin_server();
    CU_ASSERT_PTR_NOT_NULL(strstr(say("what?\r\n\r\n"), "HTTP/1.1 400 Bad Request\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(say("GET /nothing HTTP/1.0\r\n\r\n"), "404"));
    end();
}

static void test_http__what_is_no_request_is_refused(void)
{
    worlds_run(garbage_body);
}

/* ---- The threading documents' example, a whole program ---- */

static void test_http__the_documents_page_fetch_runs_as_a_program_in_both_worlds(void)
{
    const char *program = runner_build_path("tests/programs/fetch_page");
    struct runner_output output;
    runner_command(&output, (const char *const[]){program, NULL}, NULL);
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_STRING_EQUAL(output.text, "It works.\n");
    runner_command(&output, (const char *const[]){program, "/none", NULL}, NULL);
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_STRING_EQUAL(output.text, "No such file or directory\n");
    runner_command(&output,
                   (const char *const[]){runner_build_path("bin/solo"), "explore", "--schedules", "30", program, NULL},
                   NULL);
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "verdict: clean"));
}

void suite_http(void)
{
    SOLO_SUITE("http");
    SOLO_TEST(test_http__a_page_is_fetched);
    SOLO_TEST(test_http__head_and_body_arrive_whole);
    SOLO_TEST(test_http__a_body_may_come_in_many_pieces);
    SOLO_TEST(test_http__a_handler_may_answer_later);
    SOLO_TEST(test_http__where_nobody_listens_it_fails);
    SOLO_TEST(test_http__a_request_can_be_cancelled_or_time_out);
    SOLO_TEST(test_http__the_end_of_the_reactor_ends_requests);
    SOLO_TEST(test_http__a_literal_of_ipv6_is_named_in_brackets);
    SOLO_TEST(test_http__requests_in_one_piece_are_answered_in_order);
    SOLO_TEST(test_http__what_is_no_request_is_refused);
    SOLO_TEST(test_http__the_documents_page_fetch_runs_as_a_program_in_both_worlds);
}
