/* SPDX-License-Identifier: MPL-2.0 */
/* Who may use the page: tokens, halves, and how time passes for them. */
#include "node/page/session.h"

#include <string.h>

#define NOW_S 1800000000

static Session *make(guint8 fill) {
    guint8 secret[SESSION_SECRET_SIZE];
    memset(secret, fill, sizeof secret);
    return session_create(secret);
}

static void test_tokens(void) {
    Session *session = make(1);
    g_autofree char *token = session_token(session);
    g_autofree char *other = session_token(session);
    g_assert_cmpstr(token, !=, other);
    g_assert_false(session_redeem(session, NULL));
    g_assert_false(session_redeem(session, ""));
    g_assert_true(session_redeem(session, token));
    g_assert_false(session_redeem(session, token));
    for (int i = 0; i < SESSION_TOKENS_MAX; i++) {
        g_free(session_token(session));
    }
    g_assert_false(session_redeem(session, other)); /* the oldest made room */
    session_destroy(session);
    session_destroy(NULL);
}

static void test_halves(void) {
    Session *session = make(1), *stranger = make(2);
    SessionHalves halves = session_issue(session, NOW_S);
    SessionHalves others = session_issue(stranger, NOW_S);
    SessionHalves later = session_issue(session, NOW_S + 1);
    g_assert_true(session_judge(session, halves.cookie, halves.key, NOW_S));
    g_assert_false(session_judge(stranger, halves.cookie, halves.key, NOW_S));
    g_assert_false(session_judge(session, others.cookie, others.key, NOW_S));
    /* Each is good with its own other half alone, and is not that half itself. */
    g_assert_false(session_judge(session, halves.cookie, later.key, NOW_S));
    g_assert_false(session_judge(session, halves.cookie, halves.cookie, NOW_S));
    g_assert_false(session_judge(session, halves.key, halves.key, NOW_S));
    g_assert_false(session_judge(session, halves.cookie, NULL, NOW_S));
    g_assert_false(session_judge(session, NULL, halves.key, NOW_S));
    static const char *const junk[] = {"", ".", "x", "0.", "-5.00", "1800000000", "1800000000."};
    for (gsize i = 0; i < G_N_ELEMENTS(junk); i++) {
        g_assert_false(session_judge(session, junk[i], halves.key, NOW_S));
    }
    session_destroy(session);
    session_destroy(stranger);
}

/* A week; and a clock set back does not end it, one set back far does. */
static void test_age(void) {
    Session *session = make(1);
    SessionHalves halves = session_issue(session, NOW_S);
    const struct {
        gint64 now_s;
        gboolean good;
    } times[] = {
        {NOW_S + SESSION_AGE_MAX_S, TRUE},
        {NOW_S + SESSION_AGE_MAX_S + 1, FALSE},
        {NOW_S - SESSION_AHEAD_MAX_S, TRUE},
        {NOW_S - SESSION_AHEAD_MAX_S - 1, FALSE},
        {0, FALSE},
        {G_MAXINT64 / 2, FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
        g_assert_cmpint(session_judge(session, halves.cookie, halves.key, times[i].now_s), ==,
                        times[i].good);
    }
    session_destroy(session);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/tokens", test_tokens);
    g_test_add_func("/session/halves", test_halves);
    g_test_add_func("/session/age", test_age);
    return g_test_run();
}
