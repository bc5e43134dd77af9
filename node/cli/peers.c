/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/peers.h"

#include <stdio.h>
#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/cli/print.h"

#define COLUMNS      8
#define TEXTS        3 /* the first ones; the others are figures, which stand on the right */
#define NAME_LETTERS 24
#define LONG_MS      10000
#define NOT_KNOWN    "–"
#define AT_LEAST     "≥ "
#define COLUMN_GAP   2
#define BPS_PER_MBIT 1000000

static const char *text_of(JsonObject *object, const char *name) {
    return json_text(object, name, "");
}

const char *peers_name(JsonArray *peers, const char *id) {
    for (guint i = 0; i < json_array_get_length(peers); i++) {
        JsonObject *peer = json_array_get_object_element(peers, i);
        if (strcmp(text_of(peer, "id"), id) == 0) {
            return text_of(peer, "name");
        }
    }
    return NULL;
}

/* ---- cells; each is freed by the table ---- */

static char *name_cell(JsonObject *peer) {
    char *name = print_harmless(text_of(peer, "name"));
    if (g_utf8_strlen(name, -1) > NAME_LETTERS) {
        g_autofree char *whole = name;
        g_autofree char *begun = g_utf8_substring(whole, 0, NAME_LETTERS - 1);
        name = g_strconcat(begun, "…", NULL);
    }
    return name;
}

static char *path_cell(JsonObject *peer, JsonArray *peers) {
    const char *via = text_of(peer, "via");
    if (via[0] == '\0') {
        const char *path = text_of(peer, "path");
        return g_strdup(path[0] != '\0' ? _(path) : "");
    }
    const char *known = peers_name(peers, via);
    g_autofree char *relay = print_harmless(known != NULL ? known : via);
    return g_strdup_printf(_("through %s"), relay);
}

static char *time_cell(gint64 ms) {
    return ms < LONG_MS ? g_strdup_printf(_("%lld ms"), (long long)ms)
                        : g_strdup_printf(_("%lld s"), (long long)ms / 1000);
}

/* Before the line was ever full, or while less is tried out, its rate is known to be no less. */
static char *rate_cell(JsonObject *peer) {
    gint64 bps = json_int(peer, "rate_bps", 0);
    gboolean full =
        strcmp(text_of(peer, "line"), "start") != 0 && strcmp(text_of(peer, "line"), "trial") != 0;
    g_autofree char *rate = bps < 10 * BPS_PER_MBIT
                                ? g_strdup_printf(_("%lld kbit/s"), (long long)bps / 1000)
                                : g_strdup_printf(_("%lld Mbit/s"), (long long)bps / BPS_PER_MBIT);
    return g_strconcat(full ? "" : AT_LEAST, rate, NULL);
}

typedef struct {
    char *cells[COLUMNS];
} Row;

/* What was measured before nothing answered any more is not true now. */
static gboolean is_measured(JsonObject *peer) {
    return json_flag(peer, "measured") && strcmp(text_of(peer, "line"), "outage") != 0;
}

static Row row_of(JsonObject *peer, JsonArray *peers) {
    Row row = {{name_cell(peer), g_strdup(_(text_of(peer, "state"))), path_cell(peer, peers)}};
    gboolean up = strcmp(text_of(peer, "state"), "up") == 0;
    gboolean measured = up && is_measured(peer);
    for (guint i = TEXTS; i < COLUMNS; i++) {
        row.cells[i] = measured ? NULL : g_strdup(up ? NOT_KNOWN : "");
    }
    if (measured) {
        row.cells[3] = time_cell(json_int(peer, "rtt_ms", 0));
        g_autofree char *loss = print_tenths(json_real(peer, "loss") * 100);
        row.cells[4] = g_strdup_printf(_("%s %%"), loss);
        row.cells[5] = rate_cell(peer);
        row.cells[6] = time_cell(json_int(peer, "queue_ms", 0));
        row.cells[7] = time_cell(json_int(peer, "line_queue_ms", 0));
    }
    return row;
}

static Row head(void) {
    const char *const titles[COLUMNS] = {_("Name"), _("State"), _("Path"),    _("Delay"),
                                         _("Loss"), _("Rate"),  _("Waiting"), _("On the line")};
    Row row;
    for (guint i = 0; i < COLUMNS; i++) {
        row.cells[i] = g_strdup(titles[i]);
    }
    return row;
}

/* ---- the table ---- */

static void print_row(const Row *row, const int widths[COLUMNS]) {
    GString *line = g_string_new(NULL);
    for (guint i = 0; i < COLUMNS; i++) {
        const char *cell = row->cells[i];
        int blanks = widths[i] - print_width(cell);
        if (i >= TEXTS) {
            g_string_append_printf(line, "%*s%s", blanks, "", cell);
        } else {
            g_string_append_printf(line, "%s%*s", cell, blanks, "");
        }
        g_string_append_printf(line, "%*s", COLUMN_GAP, "");
    }
    puts(g_strchomp(line->str));
    g_string_free(line, TRUE);
}

static void print_table(JsonArray *peers) {
    guint count = json_array_get_length(peers) + 1;
    g_autofree Row *rows = g_new(Row, count);
    int widths[COLUMNS] = {0};
    rows[0] = head();
    for (guint i = 1; i < count; i++) {
        rows[i] = row_of(json_array_get_object_element(peers, i - 1), peers);
    }
    for (guint i = 0; i < count * COLUMNS; i++) {
        int *width = &widths[i % COLUMNS];
        *width = MAX(*width, print_width(rows[i / COLUMNS].cells[i % COLUMNS]));
    }
    for (guint i = 0; i < count; i++) {
        print_row(&rows[i], widths);
        for (guint cell = 0; cell < COLUMNS; cell++) {
            g_free(rows[i].cells[cell]);
        }
    }
}

static void print_sentences(JsonArray *peers) {
    gboolean first = TRUE;
    for (guint i = 0; i < json_array_get_length(peers); i++) {
        JsonObject *peer = json_array_get_object_element(peers, i);
        const char *reason = text_of(peer, "reason");
        if (reason[0] != '\0') {
            g_autofree char *name = print_harmless(text_of(peer, "name"));
            g_autofree char *said = print_harmless(reason);
            g_autofree char *sentence = g_strdup_printf(_("%s: %s"), name, said);
            printf("%s%s.\n", first ? "\n" : "", sentence);
            first = FALSE;
        }
    }
}

void peers_print(JsonArray *peers) {
    if (json_array_get_length(peers) == 0) {
        puts(_("Nobody else is in the meeting yet: `maillon invite` prints a ticket for others."));
        return;
    }
    print_table(peers);
    print_sentences(peers);
}
