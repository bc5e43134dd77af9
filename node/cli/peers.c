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
#define AT_MOST      "≤ "
#define CHANGES_MAX  5 /* told on a screen */
#define PEERS_LEAST  3 /* shown on a screen, however low it is */
#define COLUMN_GAP   2
#define KBIT_MAX     10000 /* from there on Mbit/s are said */

static const char *text_of(JsonObject *object, const char *name) {
    return json_text(object, name, "");
}

/* The name of one of these peers, borrowed; NULL when it is none of them. */
static const char *name_of(JsonArray *peers, const char *id) {
    for (guint i = 0; i < json_array_get_length(peers); i++) {
        JsonObject *peer = json_array_get_object_element(peers, i);
        if (strcmp(text_of(peer, "id"), id) == 0) {
            return text_of(peer, "name");
        }
    }
    return NULL;
}

char *peers_way(JsonObject *peer, JsonArray *peers) {
    const char *via = text_of(peer, "via");
    gint64 hops = json_int(peer, "hops", 0);
    if (via[0] == '\0') {
        return g_strdup(_("direct"));
    }
    const char *known = name_of(peers, via);
    g_autofree char *relay = print_short(known != NULL ? known : via, NAME_LETTERS);
    return hops > 2 ? g_strdup_printf(_("through %s, %lld links"), relay, (long long)hops)
                    : g_strdup_printf(_("through %s"), relay);
}

char *peers_change(JsonObject *change) {
    g_autoptr(GDateTime) at = g_date_time_new_from_iso8601(text_of(change, "at"), NULL);
    g_autoptr(GDateTime) here = at != NULL ? g_date_time_to_local(at) : NULL;
    g_autofree char *clock =
        here != NULL ? g_date_time_format(here, "%H:%M:%S") : g_strdup("--:--:--");
    JsonObject *texts = json_object_has_member(change, "texts")
                            ? json_object_get_object_member(change, "texts")
                            : NULL;
    const char *text =
        texts != NULL ? text_of(texts, language_code(language_chosen())) : text_of(change, "text");
    g_autofree char *said = print_harmless(text);
    return g_strdup_printf("%s  %s", clock, said);
}

/* ---- cells; each is freed by the table ---- */

static char *path_cell(JsonObject *peer, JsonArray *peers) {
    gboolean up = strcmp(text_of(peer, "state"), "up") == 0;
    return up ? peers_way(peer, peers) : g_strdup("");
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
    long long kbit = (bps + 500) / 1000;
    g_autofree char *rate =
        kbit < KBIT_MAX ? g_strdup_printf(_("%lld kbit/s"), kbit)
                        : g_strdup_printf(_("%lld Mbit/s"), (long long)(bps + 500000) / 1000000);
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
    Row row = {{print_short(text_of(peer, "name"), NAME_LETTERS),
                g_strdup(_(text_of(peer, "state"))), path_cell(peer, peers)}};
    gboolean up = strcmp(text_of(peer, "state"), "up") == 0;
    gboolean measured = up && is_measured(peer);
    for (guint i = TEXTS; i < COLUMNS; i++) {
        row.cells[i] = measured ? NULL : g_strdup(up ? NOT_KNOWN : "");
    }
    if (up && !measured && text_of(peer, "line")[0] == '\0') {
        g_autofree char *most = time_cell(json_int(peer, "rtt_ms", 0));
        g_free(row.cells[3]);
        row.cells[3] = g_strconcat(AT_MOST, most, NULL); /* as the map lets expect */
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
    const char *const titles[COLUMNS] = {_("Name"), _("State"), _("Path"),       _("Delay"),
                                         _("Loss"), _("Rate"),  _("Waits here"), _("On the way")};
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

/* Neighbours, whoever is reached through others, whoever is tried, the rest. */
static int rank_of(JsonObject *peer) {
    const char *state = text_of(peer, "state");
    return json_flag(peer, "neighbour")       ? 0
           : strcmp(state, "up") == 0         ? 1
           : strcmp(state, "connecting") == 0 ? 2
                                              : 3;
}

static gint compare(gconstpointer first, gconstpointer second) {
    return rank_of(*(JsonObject *const *)first) - rank_of(*(JsonObject *const *)second);
}

/* Borrowed, in the order they are shown. */
static GPtrArray *sorted(JsonArray *peers) {
    GPtrArray *all = g_ptr_array_new();
    for (guint i = 0; i < json_array_get_length(peers); i++) {
        g_ptr_array_add(all, json_array_get_object_element(peers, i));
    }
    g_ptr_array_sort(all, compare); /* a stable one */
    return all;
}

static void print_table(GPtrArray *shown, JsonArray *peers) {
    guint count = shown->len + 1;
    g_autofree Row *rows = g_new(Row, count);
    int widths[COLUMNS] = {0};
    rows[0] = head();
    for (guint i = 1; i < count; i++) {
        rows[i] = row_of(g_ptr_array_index(shown, i - 1), peers);
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

static void print_sentences(GPtrArray *shown) {
    gboolean first = TRUE;
    for (guint i = 0; i < shown->len; i++) {
        JsonObject *peer = g_ptr_array_index(shown, i);
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
    g_autoptr(GPtrArray) shown = sorted(peers);
    print_table(shown, peers);
    print_sentences(shown);
}

static int sentence_count(GPtrArray *shown) {
    int count = 0;
    for (guint i = 0; i < shown->len; i++) {
        count += text_of(g_ptr_array_index(shown, i), "reason")[0] != '\0';
    }
    return count;
}

void peers_print_screen(JsonArray *peers, const GQueue *changes, int rows) {
    guint told = MIN(changes->length, CHANGES_MAX);
    g_autoptr(GPtrArray) shown = sorted(peers);
    guint all = shown->len;
    if (rows > 0) {
        int sentences = sentence_count(shown);
        int rest = rows - 1 - (sentences > 0 ? sentences + 1 : 0) - (told > 0 ? (int)told + 2 : 0);
        g_ptr_array_set_size(shown, (gint)MIN(all, (guint)MAX(rest - 2, PEERS_LEAST)));
    }
    if (all == 0) {
        peers_print(peers);
    } else {
        print_table(shown, peers);
    }
    if (shown->len < all) {
        printf(_("… and %u more"), all - shown->len);
        puts("");
    }
    print_sentences(shown);
    if (told > 0) {
        printf("\n%s\n", _("Last changes:"));
    }
    for (guint i = changes->length - told; i < changes->length; i++) {
        printf("  %s\n", (const char *)g_queue_peek_nth((GQueue *)changes, i));
    }
}
