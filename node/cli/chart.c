/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/chart.h"

#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/cli/peers.h"
#include "node/cli/print.h"

#define NAMES_MAX    12 /* with more members they are told by number */
#define NAME_LETTERS 24
#define COLUMN_GAP   2
#define LINKS_LEAST  24    /* columns for links, however narrow the terminal is */
#define LOSS_LITTLE  0.011 /* below, a loss is not told */
#define ROOM_MUCH    512000

/* Marks, of which a legend tells. */
#define MARK_SELF    "*"
#define MARK_DIRECT  " "
#define MARK_RELAYED "~"
#define MARK_ABSENT  "×"
#define MARK_WEAK    "!"
#define MARK_RELAY   "+"

typedef struct {
    JsonObject *object;
    guint number;     /* from 1, in the order shown */
    GPtrArray *links; /* JsonObject, borrowed */
    char *name, *way; /* owned */
} Member;

typedef struct {
    Member *members;
    guint count;
    GHashTable *by_id; /* Member, by id */
    int name_width, way_width;
} Chart;

static const char *text_of(JsonObject *object, const char *name) {
    return json_text(object, name, "");
}

/* ---- words ---- */

char *chart_way(JsonObject *map, JsonObject *member) {
    if (json_flag(member, "self")) {
        return g_strdup(_("you"));
    }
    if (!json_flag(member, "present")) {
        return g_strdup(_("absent"));
    }
    return peers_way(member, json_list(map, "members"));
}

char *chart_quality(JsonObject *link) {
    gint64 rtt_ms = json_int(link, "rtt_ms", -1);
    double loss = json_real(link, "loss");
    gint64 room_bps = json_int(link, "room", 0);
    g_autofree char *time =
        rtt_ms < 0 ? g_strdup(_("slow")) : g_strdup_printf(_("<%lld ms"), (long long)rtt_ms);
    g_autofree char *lost = loss < LOSS_LITTLE ? NULL
                            : loss >= 1.0
                                ? g_strdup(_("lossy"))
                                : g_strdup_printf(_("loss <%d %%"), (int)(loss * 100 + 0.5));
    g_autofree char *room = room_bps >= ROOM_MUCH ? NULL
                            : room_bps == 0
                                ? g_strdup(_("narrow"))
                                : g_strdup_printf(_("≥%lld kbit/s"), (long long)room_bps / 1000);
    if (lost == NULL && room == NULL) {
        return g_steal_pointer(&time);
    }
    return g_strdup_printf("%s (%s%s%s)", time, lost != NULL ? lost : "",
                           lost != NULL && room != NULL ? ", " : "", room != NULL ? room : "");
}

/* ---- the members in their order ---- */

/* Oneself, neighbours, whoever is reached through others, the farther the later, the absent. */
static gint64 rank_of(JsonObject *member) {
    if (json_flag(member, "self")) {
        return -1;
    }
    return json_flag(member, "neighbour") ? 0
           : json_flag(member, "present") ? json_int(member, "hops", 0)
                                          : G_MAXINT64;
}

static gint compare(gconstpointer first, gconstpointer second) {
    gint64 one = rank_of(((const Member *)first)->object);
    gint64 other = rank_of(((const Member *)second)->object);
    return one < other ? -1 : one > other;
}

static void add_link(const Chart *chart, JsonObject *link, const char *end) {
    Member *member = g_hash_table_lookup(chart->by_id, text_of(link, end));
    if (member != NULL) {
        g_ptr_array_add(member->links, link);
    }
}

/* Of many members whoever carries is told by number, too. */
static char *way_of(const Chart *chart, JsonObject *map, JsonObject *member) {
    const Member *carrier = g_hash_table_lookup(chart->by_id, text_of(member, "via"));
    gint64 hops = json_int(member, "hops", 0);
    if (carrier == NULL || chart->count <= NAMES_MAX) {
        return chart_way(map, member);
    }
    g_autofree char *number = g_strdup_printf("%u", carrier->number);
    return hops > 2 ? g_strdup_printf(_("through %s, %lld links"), number, (long long)hops)
                    : g_strdup_printf(_("through %s"), number);
}

static Chart chart_of(JsonObject *map) {
    JsonArray *members = json_list(map, "members");
    JsonArray *links = json_list(map, "links");
    g_autoptr(GArray) sorted = g_array_new(FALSE, TRUE, sizeof(Member));
    for (guint i = 0; members != NULL && i < json_array_get_length(members); i++) {
        Member member = {.object = json_array_get_object_element(members, i)};
        g_array_append_val(sorted, member);
    }
    g_array_sort(sorted, compare); /* a stable one */
    Chart chart = {.count = sorted->len, .by_id = g_hash_table_new(g_str_hash, g_str_equal)};
    chart.members = (Member *)(gpointer)g_array_steal(sorted, NULL);
    for (guint i = 0; i < chart.count; i++) {
        Member *member = &chart.members[i];
        member->number = i + 1;
        member->links = g_ptr_array_new();
        member->name = print_short(text_of(member->object, "name"), NAME_LETTERS);
        chart.name_width = MAX(chart.name_width, print_width(member->name));
        g_hash_table_insert(chart.by_id, (gpointer)text_of(member->object, "id"), member);
    }
    for (guint i = 0; i < chart.count; i++) {
        Member *member = &chart.members[i];
        member->way = way_of(&chart, map, member->object);
        chart.way_width = MAX(chart.way_width, print_width(member->way));
    }
    for (guint i = 0; links != NULL && i < json_array_get_length(links); i++) {
        JsonObject *link = json_array_get_object_element(links, i);
        add_link(&chart, link, "a");
        add_link(&chart, link, "b");
    }
    return chart;
}

static void chart_clear(Chart *chart) {
    for (guint i = 0; i < chart->count; i++) {
        g_ptr_array_unref(chart->members[i].links);
        g_free(chart->members[i].name);
        g_free(chart->members[i].way);
    }
    g_free(chart->members);
    g_hash_table_unref(chart->by_id);
}

/* ---- text ---- */

static void add_blanks(GString *text, int count) {
    g_string_append_printf(text, "%*s", MAX(count, 0), "");
}

static void add_marks(GString *text, JsonObject *member) {
    g_string_append(text, json_flag(member, "self")        ? MARK_SELF
                          : !json_flag(member, "present")  ? MARK_ABSENT
                          : json_flag(member, "neighbour") ? MARK_DIRECT
                                                           : MARK_RELAYED);
    g_string_append(text, json_flag(member, "weak")    ? MARK_WEAK
                          : json_flag(member, "relay") ? MARK_RELAY
                                                       : " ");
}

/* The other end of a link and how good it is; NULL: a node that is no member. */
static char *link_cell(const Chart *chart, const Member *member, JsonObject *link) {
    const char *id = text_of(member->object, "id");
    const char *a = text_of(link, "a");
    const Member *other =
        g_hash_table_lookup(chart->by_id, strcmp(a, id) == 0 ? text_of(link, "b") : a);
    if (other == NULL) {
        return NULL;
    }
    g_autofree char *number = g_strdup_printf("%u", other->number);
    g_autofree char *quality = chart_quality(link);
    const char *doubt = json_flag(link, "both") ? "" : "?";
    g_autofree char *end =
        g_strconcat(chart->count > NAMES_MAX ? number : other->name, doubt, NULL);
    return g_strdup_printf(_("%s: %s"), end, quality);
}

static void add_links(GString *text, const Chart *chart, const Member *member, int from,
                      int columns) {
    int room = columns == 0 ? G_MAXINT : MAX(columns - from, LINKS_LEAST);
    int used = 0;
    for (guint i = 0; i < member->links->len; i++) {
        g_autofree char *cell = link_cell(chart, member, g_ptr_array_index(member->links, i));
        if (cell == NULL) {
            continue;
        }
        int width = print_width(cell) + 1; /* with the comma */
        if (used > 0 && used + 1 + width > room) {
            g_string_append(text, ",\n");
            add_blanks(text, from);
            used = 0;
        } else if (used > 0) {
            g_string_append(text, ", ");
            used++;
        }
        g_string_append(text, cell);
        used += width;
    }
}

static void add_member(GString *text, const Chart *chart, const Member *member, int columns) {
    gsize begin = text->len;
    if (chart->count > NAMES_MAX) {
        g_string_append_printf(text, "%4u ", member->number);
    }
    add_marks(text, member->object);
    g_string_append_printf(text, " %s", member->name);
    add_blanks(text, chart->name_width - print_width(member->name) + COLUMN_GAP);
    g_string_append(text, member->way);
    add_blanks(text, chart->way_width - print_width(member->way) + COLUMN_GAP);
    add_links(text, chart, member, print_width(text->str + begin), columns);
    while (text->str[text->len - 1] == ' ') {
        g_string_truncate(text, text->len - 1);
    }
    g_string_append_c(text, '\n');
}

static void add_counts(GString *text, const Chart *chart) {
    guint here = 0, relayed = 0;
    for (guint i = 0; i < chart->count; i++) {
        JsonObject *member = chart->members[i].object;
        here += json_flag(member, "present");
        relayed += json_flag(member, "present") && !json_flag(member, "neighbour") &&
                   !json_flag(member, "self");
    }
    g_string_append_printf(
        text, _("Members: %u · here: %u · reached through others: %u · absent: %u\n\n"),
        chart->count, here, relayed, chart->count - here);
}

static void add_changes(GString *text, JsonArray *changes) {
    guint count = changes != NULL ? json_array_get_length(changes) : 0;
    if (count > 0) {
        g_string_append_printf(text, "\n%s\n", _("Last changes:"));
    }
    for (guint i = 0; i < count; i++) {
        g_autofree char *line = peers_change(json_array_get_object_element(changes, i));
        g_string_append_printf(text, "  %s\n", line);
    }
}

char *chart_text(JsonObject *map, int columns) {
    GString *text = g_string_new(NULL);
    Chart chart = chart_of(map);
    add_counts(text, &chart);
    for (guint i = 0; i < chart.count; i++) {
        add_member(text, &chart, &chart.members[i], columns);
    }
    g_string_append_printf(
        text, "\n%s\n%s\n",
        _("* you  ~ reached through others  × absent  ! weak, carries nothing for others  + here "
          "to carry"),
        _("Of a link: the time there and back, losses from 1 %, rates below 512 kbit/s; ? only one "
          "end tells of it."));
    add_changes(text, json_list(map, "changes"));
    chart_clear(&chart);
    return g_string_free(text, FALSE);
}
