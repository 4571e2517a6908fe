/*
 * curl.c - libcurl's easy interface blocks; in a pool of its own it keeps nobody waiting but its own kind.
 *
 *     curl URL...     fetches the pages, as many at once as the pool has workers, and says how long each is
 *     curl serve      fetches four pages from a server on this very reactor, which serves them meanwhile
 */
#include <curl/curl.h>
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FETCHES_MAX = 16, SERVED = 4 };

struct fetch {
    char url[512];
    size_t size;
    long code; /* of the answer; 0 for a file */
    int status;
};

static struct solo_reactor *reactor;
static struct solo_pool *pool;
static struct fetch fetches[FETCHES_MAX];
static int count, finished;

/* ---- A server, for `serve` ---- */

static const char page[] = "HTTP/1.0 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\nhello, curl\n";

struct visitor {
    struct solo_protocol protocol; /* first */
    size_t newlines;               /* in a row; two end a request */
};

static void data_received(struct solo_protocol *protocol, const void *data, size_t size)
{
    struct visitor *visitor = (struct visitor *)protocol;
    for (size_t i = 0; i < size; i++) {
        char byte = ((const char *)data)[i];
        visitor->newlines = byte == '\n' ? visitor->newlines + 1 : byte == '\r' ? visitor->newlines : 0;
        if (visitor->newlines == 2) {
            (void)solo_transport_write(protocol->transport, page, sizeof page - 1);
            (void)solo_transport_lose_connection(protocol->transport);
        }
    }
}

static void connection_lost(struct solo_protocol *protocol, int reason)
{
    (void)reason;
    free(protocol);
}

static const struct solo_protocol_ops visitor_ops = {.data_received = data_received,
                                                     .connection_lost = connection_lost};

static struct solo_protocol *build_protocol(struct solo_factory *factory)
{
    struct visitor *visitor = calloc(1, sizeof *visitor);
    (void)factory;
    if (visitor == NULL) {
        return NULL;
    }
    visitor->protocol.ops = &visitor_ops;
    return (struct solo_protocol *)visitor;
}

/* ---- On the pool ---- */

static size_t count_bytes(char *data, size_t size, size_t items, void *arg)
{
    (void)data;
    ((struct fetch *)arg)->size += size * items;
    return size * items;
}

static struct solo_result perform(void *arg)
{
    struct fetch *fetch = arg;
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        return solo_failure(-ENOMEM);
    }
    (void)curl_easy_setopt(curl, CURLOPT_URL, fetch->url);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_bytes);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetch);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* there are other threads */
    CURLcode code = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &fetch->code);
    curl_easy_cleanup(curl);
    return code == CURLE_OK ? solo_value(fetch) : solo_failure(-EIO);
}

/* ---- On the reactor thread ---- */

static struct solo_result fetched(struct solo_result result, void *arg)
{
    ((struct fetch *)arg)->status = result.status;
    if (++finished == count) {
        (void)solo_reactor_stop(reactor);
    }
    return solo_value(NULL);
}

static void begin_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < count; i++) {
        struct solo_deferred *deferred = NULL;
        if (solo_defer_to_thread_pool(pool, perform, &fetches[i], &deferred) == 0) {
            (void)solo_deferred_add(deferred, fetched, fetched, &fetches[i]);
            (void)solo_deferred_release(deferred);
        }
    }
}

static int add(const char *url)
{
    if (count == FETCHES_MAX) {
        return -1;
    }
    snprintf(fetches[count].url, sizeof fetches[count].url, "%s", url);
    count++;
    return 0;
}

static int serve(void)
{
    static struct solo_factory factory = {.build_protocol = build_protocol};
    struct solo_port *port = NULL;
    uint16_t number = 0;
    char url[64];
    if (solo_reactor_listen_tcp(reactor, 0, &factory, &port) < 0 || solo_port_get_number(port, &number) < 0) {
        return -1;
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", number);
    for (int i = 0; i < SERVED; i++) {
        (void)add(url);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct solo_pool_options options = {.name = "curl", .max = 2};
    int failed = 0;
    if (argc < 2 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || solo_reactor_create(NULL, &reactor) < 0 ||
        solo_pool_create(reactor, &options, &pool) < 0) {
        return 2;
    }
    if (strcmp(argv[1], "serve") == 0) {
        if (serve() < 0) {
            return 2;
        }
    } else {
        for (int i = 1; i < argc && add(argv[i]) == 0; i++) {
        }
    }
    (void)solo_reactor_call_when_running(reactor, begin_all, NULL, NULL);
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_destroy(reactor);
    curl_global_cleanup();
    for (int i = 0; i < count; i++) {
        failed += fetches[i].status != 0;
        printf("%d: %s, %zu bytes, code %ld\n", i + 1, fetches[i].status == 0 ? "fetched" : "failed", fetches[i].size,
               fetches[i].code);
    }
    return failed == 0 ? 0 : 1;
}
