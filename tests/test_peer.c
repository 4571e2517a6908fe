/* test_peer.c - peer scripts: what is refused when they are read, and how they play in both worlds. */
#include "worlds.h"
#include <solo/peer.h>
#include <stdlib.h>

/* ---- Reading ---- */

static struct solo_peers *parse(const char *text)
{
    struct solo_peers *peers = NULL;
    char why[SOLO_PEER_WHY_MAX] = "?";
    int error = solo_peers_parse("a.peer", text, strlen(text), &peers, why);
    CU_ASSERT_EQUAL(error, 0);
    CU_ASSERT_STRING_EQUAL(why, "");
    if (error < 0) {
        printf("%s\n", why);
    }
    return peers;
}

static void refuse(const char *text, const char *expected)
{
    struct solo_peers *peers = NULL;
    char why[SOLO_PEER_WHY_MAX] = "";
    CU_ASSERT_EQUAL(solo_peers_parse("a.peer", text, strlen(text), &peers, why), -EINVAL);
    CU_ASSERT_PTR_NULL(peers);
    if (strcmp(why, expected) != 0) {
        printf("got:    %s\nwanted: %s\n", why, expected);
    }
    CU_ASSERT_STRING_EQUAL(why, expected);
}

static void test_peer__every_wrong_line_is_named(void)
{
    refuse("", "a.peer:0: there is no peer in it");
    refuse("# nothing\n\n", "a.peer:2: there is no peer in it");
    refuse("connect 80\n", "a.peer:1: a script begins with 'peer NAME'");
    refuse("peer\n", "a.peer:1: a peer's name must have 1 to 31 characters");
    refuse("peer abcdefghijklmnopqrstuvwxyzabcdef\n", "a.peer:1: a peer's name must have 1 to 31 characters");
    refuse("peer a/b\n", "a.peer:1: a peer's name has only letters, digits, '-' and '_'");
    refuse("peer a\npeer a\n", "a.peer:2: there is a peer a already");
    refuse("peer a b\n", "a.peer:1: more on this line than belongs to the command");
    refuse("peer a\ndance\n", "a.peer:2: unknown command 'dance'");
    refuse("peer a\nsend \"x\"\n", "a.peer:2: send before connect");
    refuse("peer a\nclose\n", "a.peer:2: close before connect");
    refuse("peer a\nclose-write\n", "a.peer:2: close-write before connect");
    refuse("peer a\nconnect 1\nclose-write\nsend \"x\"\n", "a.peer:4: send after close-write");
    refuse("peer a\nconnect 1\nclose-write\nclose-write\n", "a.peer:4: close-write after close-write");
    refuse("peer a\nconnect 1\nrepeat 2\nclose-write\nend\n", "a.peer:5: a repeat must end as it began, connected");
    refuse("peer a\nconnect\n", "a.peer:2: the port must be a number from 1 to 65535");
    refuse("peer a\nconnect 0\n", "a.peer:2: the port must be a number from 1 to 65535");
    refuse("peer a\nconnect 65536\n", "a.peer:2: the port must be a number from 1 to 65535");
    refuse("peer a\nconnect 99999999999999999999999999\n", "a.peer:2: the port must be a number from 1 to 65535");
    refuse("peer a\nconnect -1\n", "a.peer:2: the port must be a number from 1 to 65535");
    refuse("peer a\nconnect 80 now\n", "a.peer:2: more on this line than belongs to the command");
    refuse("peer a\nconnect 80\nconnect 80\n", "a.peer:3: connect while connected; close first");
    refuse("peer a\nconnect 80\nsend x\n", "a.peer:3: a text in double quotes must follow");
    refuse("peer a\nconnect 80\nsend\n", "a.peer:3: a text in double quotes must follow");
    refuse("peer a\nconnect 80\nsend \"x\n", "a.peer:3: the text has no closing quote");
    refuse("peer a\nconnect 80\nsend \"\"\n", "a.peer:3: the text is empty");
    refuse("peer a\nconnect 80\nsend \"\\q\"\n", "a.peer:3: unknown escape; there are \\n \\r \\t \\0 \\\\ \\\" \\xHH");
    refuse("peer a\nconnect 80\nsend \"\\x1\"\n",
           "a.peer:3: unknown escape; there are \\n \\r \\t \\0 \\\\ \\\" \\xHH");
    refuse("peer a\nconnect 80\nsend \"\\", "a.peer:3: unknown escape; there are \\n \\r \\t \\0 \\\\ \\\" \\xHH");
    refuse("peer a\nend\n", "a.peer:2: end without repeat");
    refuse("peer a\nrepeat 2\n", "a.peer:2: repeat without end");
    refuse("peer a\nrepeat 2\npeer b\n", "a.peer:2: repeat without end");
    refuse("peer a\nrepeat 0\nend\n", "a.peer:2: how often must be a number from 1 to 1000000");
    refuse("peer a\nrepeat 2\nconnect 80\nend\n", "a.peer:4: a repeat must end as it began, not connected");
    refuse("peer a\nconnect 80\nrepeat 2\nclose\nend\n", "a.peer:5: a repeat must end as it began, connected");
    refuse("peer a\nwait x\n", "a.peer:2: the time in milliseconds must be a number from 0 to 4294967295");
}

static void test_peer__limits_are_refused_past_the_limit(void)
{
    char *text = malloc(1 << 20);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    char *at = text + sprintf(text, "peer a\nconnect 80\nsend \"");
    memset(at, 'x', SOLO_PEER_TEXT_MAX + 1);
    strcpy(at + SOLO_PEER_TEXT_MAX, "\"\n");
    solo_peers_free(parse(text)); /* just fits */
    strcpy(at + SOLO_PEER_TEXT_MAX, "x\"\n");
    refuse(text, "a.peer:3: the text has more than 4096 bytes");

    at = text + sprintf(text, "peer a\n");
    for (int i = 0; i <= SOLO_PEER_NESTING_MAX; i++) {
        at += sprintf(at, "repeat 2\n");
    }
    refuse(text, "a.peer:10: repeats are nested more than 8 deep");

    at = text;
    for (int i = 0; i <= SOLO_PEERS_MAX; i++) {
        at += sprintf(at, "peer p%d\n", i);
    }
    refuse(text, "a.peer:65: more than 64 peers");

    at = text + sprintf(text, "peer a\n");
    for (int i = 0; i < SOLO_PEER_LINES_MAX; i++) {
        at += sprintf(at, "wait 0\n");
    }
    refuse(text, "a.peer:10001: more than 10000 lines");
    free(text);
}

static void test_peer__no_bytes_crash_the_reader(void)
{
    static const char *const pieces[] = {"peer a\n", "peer", " ",          "connect 80\n", "send \"x\"\n", "\"",
                                         "\\",       "\n",   "repeat 3\n", "end\n",        "close\n",      "#",
                                         "expect",   "\\x4", "9999",       "await \"a\"\n"};
    uint64_t dice = runner_seed();
    unsigned accepted = 0;
    for (int round = 0; round < 20000; round++) {
        char text[256], why[SOLO_PEER_WHY_MAX];
        size_t size = 0;
        struct solo_peers *peers = NULL;
        for (int i = 0; i < 12; i++) {
            dice = dice * UINT64_C(6364136223846793005) + 1;
            const char *piece = pieces[i == 0 && round % 2 ? 0 : dice >> 60];
            memcpy(text + size, piece, strlen(piece));
            size += strlen(piece);
            if ((dice >> 33) % 50 == 0) {
                text[size++] = (char)(dice >> 40);
            }
        }
        int error = solo_peers_parse("a.peer", text, size, &peers, why);
        CU_ASSERT_TRUE_FATAL(error == 0 || error == -EINVAL);
        CU_ASSERT_TRUE_FATAL((error == 0) == (peers != NULL));
        accepted += error == 0;
        solo_peers_free(peers);
    }
    CU_ASSERT_TRUE(accepted > 0);
}

static void test_peer__a_nul_byte_is_refused(void)
{
    static const char text[] = "peer a\nconnect 80\nsend \"a\0b\"\n";
    struct solo_peers *peers = NULL;
    char why[SOLO_PEER_WHY_MAX];
    CU_ASSERT_EQUAL(solo_peers_parse("a.peer", text, sizeof text - 1, &peers, why), -EINVAL);
    CU_ASSERT_STRING_EQUAL(why, "a.peer:3: not a text file");
}

static void test_peer__a_file_that_cannot_be_read_is_named(void)
{
    struct solo_peers *peers = NULL;
    char why[SOLO_PEER_WHY_MAX] = "";
    CU_ASSERT_EQUAL(solo_peers_load("/nowhere/x.peer", &peers, why), -ENOENT);
    CU_ASSERT_STRING_EQUAL(why, "/nowhere/x.peer: No such file or directory");
    CU_ASSERT_EQUAL(solo_peers_load(runner_scratch_path("."), &peers, why), -EISDIR);
    CU_ASSERT_EQUAL(solo_peers_load(NULL, &peers, why), -EINVAL);
    CU_ASSERT_EQUAL(solo_peers_parse("x", NULL, 0, &peers, why), -EINVAL);
    CU_ASSERT_PTR_NULL(peers);
    CU_ASSERT_EQUAL(solo_peers_start(NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_peers_join(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_peers_count(NULL), 0);
}

static void test_peer__a_file_is_read(void)
{
    const char *path = runner_scratch_path("chat.peer");
    struct solo_peers *peers = NULL;
    struct solo_peer_status status;
    char why[SOLO_PEER_WHY_MAX] = "";
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs("# two clients\r\npeer alice # the first\n  connect 8007\r\n\tsend \"a\\n\" # hello\n\npeer bob\nwait 5",
          file);
    fclose(file);
    CU_ASSERT_EQUAL(solo_peers_load(path, &peers, why), 0);
    CU_ASSERT_EQUAL(solo_peers_count(peers), 2);
    CU_ASSERT_EQUAL(solo_peers_status(peers, 1, &status), 0);
    CU_ASSERT_STRING_EQUAL(status.name, "bob");
    CU_ASSERT_EQUAL(status.line, 0);
    CU_ASSERT_STRING_EQUAL(status.text, "has not started");
    CU_ASSERT_EQUAL(solo_peers_status(peers, 2, &status), -ENOENT);
    CU_ASSERT_FALSE(solo_peers_finished(peers, &status));
    CU_ASSERT_STRING_EQUAL(status.name, "alice");
    solo_peers_free(peers);
}

/* ---- Playing against a server ---- */

/* What the server does: greets with `greeting`, and then as `answer` says. */
static struct solo_reactor *reactor;
static const char *script, *greeting;
static void (*answer)(struct solo_protocol *protocol, const void *data, size_t size);
static unsigned lost_count, lost_wanted;
static size_t server_received;
static struct solo_protocol sessions[64];
static unsigned session_count;

static void session_made(struct solo_protocol *protocol)
{
    if (greeting != NULL) {
        CU_ASSERT_EQUAL(solo_transport_write(protocol->transport, greeting, strlen(greeting)), 0);
    }
}

static void session_data(struct solo_protocol *protocol, const void *data, size_t size)
{
    server_received += size;
    if (answer != NULL) {
        answer(protocol, data, size);
    }
}

static void session_lost(struct solo_protocol *protocol, int reason)
{
    (void)protocol;
    note(reason == SOLO_ECONNDONE ? 'd' : 'l');
    if (++lost_count == lost_wanted) {
        CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
    }
}

static struct solo_protocol *session_build(struct solo_factory *factory)
{
    static const struct solo_protocol_ops ops = {session_made, session_data, session_lost};
    (void)factory;
    CU_ASSERT_TRUE_FATAL(session_count < 64);
    sessions[session_count].ops = &ops;
    return &sessions[session_count++];
}

static void echo(struct solo_protocol *protocol, const void *data, size_t size)
{
    CU_ASSERT_EQUAL(solo_transport_write(protocol->transport, data, size), 0);
}

static void hang_up(struct solo_protocol *protocol, const void *data, size_t size)
{
    (void)data;
    (void)size;
    CU_ASSERT_EQUAL(solo_transport_lose_connection(protocol->transport), 0);
}

static struct solo_peer_status statuses[4];
static bool all_finished;

/* Serves the script until `lost_wanted` connections have come and gone, then joins the peers. */
static void serve_body(void)
{
    static struct solo_factory factory = {session_build, NULL, NULL};
    struct solo_peers_options options = {.port = 0, .patience_ns = worlds.sim == NULL ? 10000 * WORLDS_MS : 0};
    struct solo_peers *peers = parse(script);
    struct solo_port *port = NULL;
    lost_count = session_count = 0;
    server_received = 0;
    reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_listen_tcp(reactor, 0, &factory, &port), 0);
    CU_ASSERT_EQUAL(solo_port_get_number(port, &options.port), 0);
    CU_ASSERT_EQUAL(solo_peers_start(peers, &options), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    worlds_destroy(reactor);
    if (worlds.sim != NULL) {
        CU_ASSERT_EQUAL(solo_sleep(10000 * WORLDS_MS), 0); /* virtual: the peers come to their end */
    }
    CU_ASSERT_EQUAL(solo_peers_join(peers), 0);
    all_finished = solo_peers_finished(peers, NULL);
    for (size_t i = 0; i < solo_peers_count(peers) && i < 4; i++) {
        CU_ASSERT_EQUAL(solo_peers_status(peers, i, &statuses[i]), 0);
        if (!all_finished) {
            printf("%s line %u: %s\n", statuses[i].name, statuses[i].line, statuses[i].text);
        }
    }
    solo_peers_free(peers);
}

static void play(const char *text, unsigned lost)
{
    script = text;
    lost_wanted = lost;
}

static void echo_body(void)
{
    greeting = "welcome\n";
    answer = echo;
    play("peer alice\n"
         "connect 1\n"
         "expect \"welcome\\n\"\n"
         "repeat 3\n"
         "  send \"one\\x20two\\n\"\n"
         "  expect \"one two\"\n"
         "  await \"\\n\"\n"
         "end\n"
         "close\n"
         "wait 1\n"
         "connect 1\n"
         "await \"come\"\n"
         "expect \"\\n\"\n"
         "peer bob\n"
         "connect 1\n"
         "expect \"welcome\\n\"\n"
         "abort\n",
         3);
    serve_body();
    CU_ASSERT_TRUE(all_finished);
    CU_ASSERT_EQUAL(server_received, 24);
    CU_ASSERT_STRING_EQUAL(statuses[0].text, "");
    CU_ASSERT_EQUAL(statuses[0].state, SOLO_PEER_FINISHED);
    CU_ASSERT_PTR_NOT_NULL(strchr(worlds.notes, 'l')); /* bob's reset */
    CU_ASSERT_PTR_NOT_NULL(strchr(worlds.notes, 'd'));
}

static void test_peer__scripts_play_in_both_worlds(void)
{
    worlds_run(echo_body);
}

static void close_body(void)
{
    greeting = NULL;
    answer = hang_up;
    play("peer alice\nconnect 1\nsend \"quit\"\nexpect-close\n", 1);
    serve_body();
    CU_ASSERT_TRUE(all_finished);
}

static void test_peer__the_other_sides_close_can_be_expected(void)
{
    worlds_run(close_body);
}

static void say_goodbye(struct solo_protocol *protocol)
{
    CU_ASSERT_EQUAL(solo_transport_write(protocol->transport, "goodbye\n", 8), 0);
    CU_ASSERT_EQUAL(solo_transport_lose_connection(protocol->transport), 0);
}

static void hear_the_end(struct solo_protocol *protocol, const void *data, size_t size)
{
    static const struct solo_half_close_ops ops = {say_goodbye, NULL};
    (void)data;
    (void)size;
    CU_ASSERT_EQUAL(solo_transport_set_half_close(protocol->transport, &ops), 0);
}

static void half_close_body(void)
{
    greeting = NULL;
    answer = hear_the_end;
    play("peer alice\nconnect 1\nsend \"that is all\"\nclose-write\nexpect \"goodbye\\n\"\nexpect-close\n", 1);
    serve_body();
    CU_ASSERT_TRUE(all_finished);
    CU_ASSERT_EQUAL(server_received, 11);
}

static void test_peer__may_end_what_it_sends_and_read_on(void)
{
    worlds_run(half_close_body);
}

static void answer_and_hang_up(struct solo_protocol *protocol, const void *data, size_t size)
{
    echo(protocol, data, size);
    hang_up(protocol, data, size);
}

static void await_close_body(void)
{
    greeting = "so long\n";
    answer = answer_and_hang_up;
    play("peer alice\nconnect 1\nsend \"quit\"\nawait-close\n", 1);
    serve_body();
    CU_ASSERT_TRUE(all_finished);
}

static void test_peer__the_other_sides_close_can_be_awaited_whatever_comes_before(void)
{
    worlds_run(await_close_body);
}

static void await_body(void)
{
    greeting = "aabaaaabaab-aabaabaaab!rest";
    answer = NULL;
    play("peer alice\nconnect 1\nawait \"aabaabaaab\"\nexpect \"!\"\nexpect \"rest\"\n", 1);
    serve_body();
    CU_ASSERT_TRUE(all_finished);
}

static void test_peer__await_finds_its_text_and_takes_no_byte_after_it(void)
{
    worlds_run(await_body);
}

static void wrong_text_body(void)
{
    greeting = "goodbye\n";
    answer = NULL;
    play("peer alice\nconnect 1\nexpect \"good day\"\n", 1);
    serve_body();
    CU_ASSERT_FALSE(all_finished);
    CU_ASSERT_EQUAL(statuses[0].state, SOLO_PEER_FAILED);
    CU_ASSERT_EQUAL(statuses[0].line, 3);
    CU_ASSERT_EQUAL(strncmp(statuses[0].text, "wanted \"good day\", got \"goodb", 28), 0);
}

static void test_peer__another_text_than_expected_fails(void)
{
    worlds_run(wrong_text_body);
}

static void early_end_body(void)
{
    greeting = "go";
    answer = hang_up;
    play("peer alice\nconnect 1\nsend \"x\"\nexpect \"gone\"\npeer bob\nconnect 1\nexpect-close\n", 2);
    serve_body();
    CU_ASSERT_FALSE(all_finished);
    CU_ASSERT_STRING_EQUAL(statuses[0].text, "wanted \"gone\", but the other side closed after 2 of 4 bytes");
    CU_ASSERT_STRING_EQUAL(statuses[1].text, "wanted the other side to close, got \"go\"");
}

static void test_peer__an_early_end_fails(void)
{
    worlds_run_os(early_end_body);
    worlds_simulate(early_end_body, SOLO_CARRIER_FIBER, false, 1);
}

/* ---- What a peer waits for when a simulation has come to rest ---- */

static struct solo_peers *waiting;

static void wait_body(void *arg)
{
    static struct solo_factory factory = {session_build, NULL, NULL};
    (void)arg;
    session_count = 0;
    greeting = "hel";
    answer = NULL;
    reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_listen_tcp(reactor, 8007, &factory, NULL), 0);
    CU_ASSERT_EQUAL(solo_peers_start(waiting, NULL), 0);
    (void)solo_reactor_run(reactor);
    CU_FAIL("nothing stops this reactor");
}

static void test_peer__at_rest_each_peer_says_what_it_waits_for(void)
{
    struct solo_sim *sim = NULL;
    struct solo_sim_options options = {.carrier = SOLO_CARRIER_FIBER};
    struct solo_peer_status status;
    waiting = parse("peer a\nconnect 8007\nexpect \"hello\\n\"\n"
                    "peer b\nconnect 9\n"
                    "peer c\nconnect 8007\nexpect \"hel\"\nexpect-close\n"
                    "peer d\nwait 3\n");
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    for (int round = 0; round < 2; round++) { /* the same script again, from its beginning */
        CU_ASSERT_EQUAL(solo_sim_run(sim, 1, wait_body, NULL), SOLO_ENDING_QUIET);
        CU_ASSERT_FALSE(solo_peers_finished(waiting, &status));
        CU_ASSERT_STRING_EQUAL(status.name, "a");
        CU_ASSERT_EQUAL(status.state, SOLO_PEER_PLAYING);
        CU_ASSERT_EQUAL(status.line, 3);
        CU_ASSERT_STRING_EQUAL(status.text, "waits for \"hello\\n\"; 3 of 6 bytes have come");
        CU_ASSERT_EQUAL(solo_peers_status(waiting, 1, &status), 0);
        CU_ASSERT_STRING_EQUAL(status.text, "waits until somebody listens on port 9");
        CU_ASSERT_EQUAL(solo_peers_status(waiting, 2, &status), 0);
        CU_ASSERT_STRING_EQUAL(status.text, "waits for the other side to close");
        CU_ASSERT_EQUAL(solo_peers_status(waiting, 3, &status), 0);
        CU_ASSERT_EQUAL(status.state, SOLO_PEER_FINISHED);
    }
    solo_sim_destroy(sim);
    solo_peers_free(waiting);
}

/* ---- World os: patience and a server that comes late ---- */

static void test_peer__patience_ends_a_wait_that_nobody_ends(void)
{
    struct solo_peers *peers = parse("peer a\nconnect 1\nexpect \"hello\"\npeer b\nconnect 1\nexpect-close\n");
    struct solo_peers_options options = {.patience_ns = 50 * WORLDS_MS};
    struct solo_world *world = solo_world_os();
    struct solo_peer_status status;
    struct solo_address local = {.family = SOLO_INET, .host = SOLO_LOOPBACK};
    int listener = -1;
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &local, NULL, &listener), 0);
    CU_ASSERT_EQUAL(world->network->query(world, listener, SOLO_QUERY_LOCAL, &local), 0);
    options.port = local.port;
    CU_ASSERT_EQUAL(solo_peers_start(peers, &options), 0); /* it listens, and that is all it ever does */
    CU_ASSERT_EQUAL(solo_peers_join(peers), 0);
    CU_ASSERT_EQUAL(solo_peers_status(peers, 0, &status), 0);
    CU_ASSERT_EQUAL(status.state, SOLO_PEER_FAILED);
    CU_ASSERT_STRING_EQUAL(status.text, "wanted \"hello\", but nothing more came after 0 of 5 bytes");
    CU_ASSERT_EQUAL(solo_peers_status(peers, 1, &status), 0);
    CU_ASSERT_STRING_EQUAL(status.text, "wanted the other side to close, but nothing came");
    (void)world->network->close(world, listener, SOLO_CLOSE_WHOLE);
    solo_peers_free(peers);
}

static void test_peer__without_a_server_connecting_fails_in_the_end(void)
{
    struct solo_world *world = solo_world_os();
    struct solo_peers *peers = parse("peer a\nconnect 1\n");
    struct solo_peers_options options = {.patience_ns = 50 * WORLDS_MS};
    struct solo_peer_status status;
    struct solo_address local = {.family = SOLO_INET, .host = SOLO_LOOPBACK};
    int listener = -1;
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &local, NULL, &listener), 0);
    CU_ASSERT_EQUAL(world->network->query(world, listener, SOLO_QUERY_LOCAL, &local), 0);
    options.port = local.port;
    (void)world->network->close(world, listener, SOLO_CLOSE_WHOLE); /* now nobody listens there */
    CU_ASSERT_EQUAL(solo_peers_start(peers, &options), 0);
    CU_ASSERT_EQUAL(solo_peers_join(peers), 0);
    CU_ASSERT_FALSE(solo_peers_finished(peers, &status));
    CU_ASSERT_PTR_NOT_NULL(strstr(status.text, "could not connect to port"));
    solo_peers_free(peers);
}

void suite_peer(void)
{
    SOLO_SUITE("peer");
    SOLO_TEST(test_peer__every_wrong_line_is_named);
    SOLO_TEST(test_peer__limits_are_refused_past_the_limit);
    SOLO_TEST(test_peer__no_bytes_crash_the_reader);
    SOLO_TEST(test_peer__a_nul_byte_is_refused);
    SOLO_TEST(test_peer__a_file_that_cannot_be_read_is_named);
    SOLO_TEST(test_peer__a_file_is_read);
    SOLO_TEST(test_peer__scripts_play_in_both_worlds);
    SOLO_TEST(test_peer__the_other_sides_close_can_be_expected);
    SOLO_TEST(test_peer__may_end_what_it_sends_and_read_on);
    SOLO_TEST(test_peer__the_other_sides_close_can_be_awaited_whatever_comes_before);
    SOLO_TEST(test_peer__await_finds_its_text_and_takes_no_byte_after_it);
    SOLO_TEST(test_peer__another_text_than_expected_fails);
    SOLO_TEST(test_peer__an_early_end_fails);
    SOLO_TEST(test_peer__at_rest_each_peer_says_what_it_waits_for);
    SOLO_TEST(test_peer__patience_ends_a_wait_that_nobody_ends);
    SOLO_TEST(test_peer__without_a_server_connecting_fails_in_the_end);
}
