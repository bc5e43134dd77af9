/* SPDX-License-Identifier: MPL-2.0 */
/* The words the emulator understands, and the schedule they make. */
#include "tests/net/emulator/link.h"

#include <glib.h>
#include <string.h>

static EmulatorAction action_of(const char *line) {
    EmulatorAction action;
    const char *reason = NULL;
    if (!emulator_action_parse(line, &action, &reason))
        g_error("%s: %s", line, reason);
    return action;
}

static void test_settings(void) {
    EmulatorAction action = action_of("rate a>b 32k");
    g_assert_cmpint(action.kind, ==, EMULATOR_ACTION_SET);
    g_assert_cmpuint(action.lanes, ==, EMULATOR_LANE_A_B);
    g_assert_cmpstr(action.key, ==, "rate");
    g_assert_cmpstr(action.value, ==, "32k");
    action = action_of("set b>a.loss=10%");
    g_assert_cmpuint(action.lanes, ==, EMULATOR_LANE_B_A);
    g_assert_cmpstr(action.value, ==, "10%");
    action = action_of("delay=0.5");
    g_assert_cmpuint(action.lanes, ==, EMULATOR_LANE_BOTH);
    g_assert_cmpstr(action.value, ==, "0.5");
    action = action_of("at 2.5: jitter_order=free");
    g_assert_cmpuint(action.at_us, ==, 2500000);
}

static void test_outages(void) {
    EmulatorAction action = action_of("down 30..60 every 60");
    g_assert_cmpint(action.kind, ==, EMULATOR_ACTION_OUTAGES);
    g_assert_cmpuint(action.from_us, ==, 30000000);
    g_assert_cmpuint(action.until_us, ==, 60000000);
    g_assert_cmpuint(action.every_us, ==, 60000000);
    g_assert_cmpint(action_of("down b>a").kind, ==, EMULATOR_ACTION_DOWN);
    g_assert_cmpuint(action_of("down 1..2 b>a").lanes, ==, EMULATOR_LANE_B_A);
}

static void test_refused(void) {
    static const char *const lines[] = {
        "",        "fast",           "rate",      "rate fast",         "rate a>c 5",
        "loss 2",  "loss -1",        "down 5..2", "down 1..3 every 1", "at soon down",
        "at 5",    "rate a>b 5 6",   "set rate",  "mtu 70000",         "stats now",
        "up 1..2", "at 1 down 1..2", "delay nan", "burst_share 1",     "jitter_order=maybe",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        EmulatorAction action;
        const char *reason = NULL;
        if (emulator_action_parse(lines[i], &action, &reason))
            g_error("understood: %s", lines[i]);
        g_assert_nonnull(reason);
    }
}

static void test_profiles(void) {
    EmulatorSettings settings;
    const char *schedule;
    g_assert_true(emulator_settings_profile("W2", &settings, &schedule));
    g_assert_cmpfloat(settings.rate_bps, ==, 64000);
    g_assert_cmpfloat(settings.delay_us, ==, 300000);
    g_assert_cmpfloat(settings.loss, ==, 0.1);
    g_assert_cmpfloat(settings.queue_bytes, ==, 16000);
    g_assert_true(emulator_settings_profile("w5", &settings, &schedule));
    g_assert_cmpint(action_of(schedule).kind, ==, EMULATOR_ACTION_OUTAGES);
    g_assert_false(emulator_settings_profile("W6", &settings, &schedule));
}

static char *link_tell(EmulatorLink *link, const char *line, uint64_t now_us) {
    char *answer = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&answer, &length);
    emulator_link_command(link, line, now_us, out);
    fclose(out);
    return answer;
}

/* A flapping line is up in its first half minute, down in the second, and so on for ever. */
static void test_schedule_plays(void) {
    static EmulatorLink link;
    EmulatorSettings settings[2] = {emulator_settings_perfect(), emulator_settings_perfect()};
    emulator_link_init(&link, settings, 1, 0);
    g_autofree char *flapping = link_tell(&link, "down 30..60 every 60", 0);
    g_autofree char *slower = link_tell(&link, "at 45 rate b>a 32k", 0);
    g_assert_cmpstr(flapping, ==, "ok\n");
    g_assert_cmpstr(slower, ==, "ok\n");
    for (uint64_t second = 0; second < 300; second++) {
        emulator_link_advance(&link, second * 1000000 + 500000);
        bool is_down = second % 60 >= 30;
        g_assert_cmpint(link.lane[0].state, ==, is_down ? EMULATOR_LANE_DOWN : EMULATOR_LANE_UP);
        g_assert_cmpfloat(link.lane[1].settings.rate_bps, ==, second >= 45 ? 32000 : 0);
        g_assert_cmpfloat(link.lane[0].settings.rate_bps, ==, 0);
    }
    emulator_link_finish(&link);
}

static void test_answers(void) {
    static EmulatorLink link;
    EmulatorSettings settings[2] = {emulator_settings_perfect(), emulator_settings_perfect()};
    emulator_link_init(&link, settings, 1, 0);
    g_autofree char *error = link_tell(&link, "nonsense", 1);
    g_autofree char *planned = link_tell(&link, "at 5 stats", 1);
    g_autofree char *stats = link_tell(&link, "stats", 2000000);
    g_assert_true(g_str_has_prefix(error, "error: "));
    g_assert_true(g_str_has_prefix(planned, "error: "));
    g_assert_true(g_str_has_prefix(stats, "{\"seconds\":2.000,\"seed\":1,\"a>b\":{\"packets\":0,"));
    g_assert_true(g_str_has_suffix(stats, "}}\n"));
    for (unsigned i = 0; i < EMULATOR_SCHEDULE_MAX; i++)
        g_free(link_tell(&link, "at 5 down", 1));
    g_autofree char *full = link_tell(&link, "at 5 down", 1);
    g_assert_cmpstr(full, ==, "error: the schedule is full\n");
    emulator_link_finish(&link);
}

int main(int count, char **words) {
    g_test_init(&count, &words, NULL);
    g_test_add_func("/net/action/settings", test_settings);
    g_test_add_func("/net/action/outages", test_outages);
    g_test_add_func("/net/action/refused", test_refused);
    g_test_add_func("/net/action/profiles", test_profiles);
    g_test_add_func("/net/action/schedule_plays", test_schedule_plays);
    g_test_add_func("/net/action/answers", test_answers);
    return g_test_run();
}
