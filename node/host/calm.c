/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/calm.h"

/* So many rests without a word, and the past is forgiven. */
#define FORGIVEN_RESTS 4

gboolean calm_due(Calm *calm, guint value, guint hold_ms, gint64 now_ms) {
    if (value != calm->seen) {
        calm->seen = value;
        calm->seen_ms = now_ms;
    }
    gint64 quiet_ms = now_ms - calm->told_ms;
    if (value == calm->told || now_ms - calm->seen_ms < hold_ms || quiet_ms < calm->rest_ms) {
        return FALSE;
    }
    gboolean forgiven = quiet_ms >= (gint64)calm->rest_ms * FORGIVEN_RESTS;
    calm->rest_ms = forgiven ? CALM_REST_MS_MIN : MIN(calm->rest_ms * 2, CALM_REST_MS_MAX);
    calm->told = value;
    calm->told_ms = now_ms;
    return TRUE;
}
