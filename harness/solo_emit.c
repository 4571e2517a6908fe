/*
 * solo_emit.c - a token as a CUnit test that can be kept: `solo replay --emit-test FILE`.
 *
 * The test replays leniently, because a program that was fixed has other choices; it holds that none of the findings
 * shows again. It needs nothing but the kit's libraries and CUnit.
 */
#include "solo_command.h"
#include <errno.h>
#include <solo/token.h>
#include <stdlib.h>
#include <string.h>

enum { LITERAL_COLUMNS = 90 };

static void write_literal(FILE *out, const char *text, const char *indent)
{
    size_t column = 0;
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (column >= LITERAL_COLUMNS) {
            fprintf(out, "\"\n%s\"", indent);
            column = 0;
        }
        if (c == '"' || c == '\\' || c < 0x20 || c >= 0x7f || c == '?') { /* no trigraphs either */
            column += (size_t)fprintf(out, "\\%03o", c);
        } else {
            fputc(c, out);
            column++;
        }
    }
    fputc('"', out);
}

static void write_name(FILE *out, const char *path)
{
    const char *base = strrchr(path, '/');
    base = base != NULL ? base + 1 : path;
    for (; *base != '\0'; base++) {
        bool fine = (*base >= 'a' && *base <= 'z') || (*base >= 'A' && *base <= 'Z') || (*base >= '0' && *base <= '9');
        fputc(fine ? *base : '_', out);
    }
}

static void write_arguments(FILE *out, char *const program[])
{
    fputs("static char *arguments[] = {\n", out);
    for (size_t i = 0; program[i] != NULL; i++) {
        fputs("    (char *)", out);
        write_literal(out, program[i], "            ");
        fputs(",\n", out);
    }
    fputs("    NULL,\n};\n\n", out);
}

static void write_options(FILE *out, const struct solo_explore_options *explore)
{
    static const char *const policies[] = {"SOLO_POLICY_REFUSE", "SOLO_POLICY_ABORT", "SOLO_POLICY_REPORT"};
    fputs("    solo_explore_defaults(&options);\n", out);
    fprintf(out, "    options.policy = %s;\n", policies[explore->policy % 3]);
    fprintf(out, "    options.carrier = %s;\n",
            explore->carrier == SOLO_CARRIER_TOKEN ? "SOLO_CARRIER_TOKEN" : "SOLO_CARRIER_FIBER");
    fprintf(out, "    options.let_time_pass = %s;\n", explore->let_time_pass ? "true" : "false");
    fprintf(out, "    options.faults_max = %u;\n", (unsigned)explore->faults_max);
    fprintf(out, "    options.steps_max = %llu;\n", (unsigned long long)explore->steps_max);
    if (explore->peer_file != NULL) {
        fputs("    options.peer_file = ", out);
        write_literal(out, explore->peer_file, "                        ");
        fputs(";\n", out);
    }
}

static void write_what_was_seen(FILE *out, const struct solo_replay *replay)
{
    char line[256];
    fputs("/*\n * Made by `solo replay --emit-test`. In this schedule was found:\n", out);
    for (unsigned i = 0; i < replay->violation_count; i++) {
        (void)solo_report_headline(&replay->violations[i], line, sizeof line);
        for (char *end = strstr(line, "*/"); end != NULL; end = strstr(end, "*/")) {
            *end = ' '; /* or the comment would end here */
        }
        fprintf(out, " *     %s\n", line);
    }
    fputs(" *\n"
          " * It passes when that is gone. An argument is the program to test instead, such as another build.\n"
          " *\n"
          " *     cc -I... FILE.c -lsolo-harness -lsolo -lcunit\n"
          " */\n",
          out);
}

static void write_checks(FILE *out, const struct solo_replay *replay)
{
    fputs("    CU_ASSERT_EQUAL_FATAL(solo_replay_program(arguments, token, &options, false, false, &replay, why), 0);\n"
          "    for (unsigned i = 0; i < replay.violation_count; i++) {\n"
          "        const struct solo_violation *violation = &replay.violations[i];\n"
          "        printf(\"\\n    %s\\n\", violation->text);\n",
          out);
    unsigned told[16] = {0};
    for (unsigned i = 0; i < replay->violation_count && i < 16; i++) {
        bool again = false;
        told[i] = replay->violations[i].id;
        for (unsigned j = 0; j < i; j++) {
            again = again || told[j] == told[i];
        }
        if (!again) {
            fprintf(out, "        CU_ASSERT_NOT_EQUAL(violation->id, %u);\n", told[i]);
        }
    }
    fputs("    }\n", out);
}

static void write_test(FILE *out, const struct command_options *options, const char *token,
                       const struct solo_replay *replay)
{
    write_what_was_seen(out, replay);
    fputs("#include <CUnit/Basic.h>\n#include <solo/explore.h>\n#include <stdio.h>\n\n", out);
    fputs("static const char token[] =\n    ", out);
    write_literal(out, token, "    ");
    fputs(";\n\n", out);
    write_arguments(out, options->program);
    fputs("static struct solo_replay replay; /* too large for the stack */\n\nstatic void test_", out);
    write_name(out, options->program[0]);
    fputs("__this_schedule_is_right(void)\n"
          "{\n"
          "    struct solo_explore_options options;\n"
          "    char why[SOLO_EVIDENCE_MAX];\n",
          out);
    write_options(out, &options->explore);
    write_checks(out, replay);
    fputs("}\n\n"
          "int main(int argc, char **argv)\n"
          "{\n"
          "    if (argc > 1) {\n"
          "        arguments[0] = argv[1];\n"
          "    }\n"
          "    if (CU_initialize_registry() != CUE_SUCCESS",
          out);
    if (options->input[0] != '\0') {
        fputs(" ||\n        freopen(", out);
        write_literal(out, options->input, "                ");
        fputs(", \"r\", stdin) == NULL", out);
    }
    fputs(") {\n"
          "        return 2;\n"
          "    }\n"
          "    CU_pSuite suite = CU_add_suite(\"schedules\", NULL, NULL);\n"
          "    CU_ADD_TEST(suite, test_",
          out);
    write_name(out, options->program[0]);
    fputs("__this_schedule_is_right);\n"
          "    (void)CU_basic_run_tests();\n"
          "    unsigned failures = CU_get_number_of_failures();\n"
          "    CU_cleanup_registry();\n"
          "    return failures != 0;\n"
          "}\n",
          out);
}

bool command_emit_test(const struct command_options *options, const char *token, const struct solo_replay *replay,
                       const char *path)
{
    struct solo_token parsed;
    char why[SOLO_TOKEN_WHY_MAX];
    if (replay->violation_count == 0) {
        (void)command_wrong("replay", "--emit-test: nothing was found in this schedule, so there is nothing to test");
        return false;
    }
    char *text = solo_token_parse(token, &parsed, why) == 0 ? solo_token_text(&parsed) : NULL;
    FILE *out = text != NULL ? fopen(path, "we") : NULL;
    bool fine = out != NULL;
    if (fine) {
        write_test(out, options, text, replay);
        fine = ferror(out) == 0;
        fine = fclose(out) == 0 && fine;
    }
    if (!fine) {
        (void)command_wrong("replay", "--emit-test: %s cannot be written: %s", path, strerror(errno));
    }
    if (text != NULL) {
        solo_token_finish(&parsed);
    }
    free(text);
    return fine;
}
