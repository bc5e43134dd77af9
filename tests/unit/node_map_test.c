/* SPDX-License-Identifier: MPL-2.0 */
/* The map for a person: which sentence tells a change, the text, and the drawing in DOT. */
#include <string.h>

#include "node/bus/json.h"
#include "node/cli/chart.h"
#include "node/cli/peers.h"
#include "node/cli/print.h"
#include "node/host/way.h"

#define NB "\xc2\xa0" /* an unbreakable space */

/* ---- what changed, and why ---- */

static void assert_says(WayChange change, const char *english, const char *french) {
    g_autofree char *said = way_sentence(LANGUAGE_ENGLISH, &change);
    g_autofree char *dit = way_sentence(LANGUAGE_FRENCH, &change);
    g_assert_cmpstr(said, ==, english);
    g_assert_cmpstr(dit, ==, french);
}

static void test_direct(void) {
    assert_says((WayChange){.was = WAY_NONE, .is = WAY_DIRECT, .name = "Léa"},
                "Léa is here, by a direct link", "Léa est là, en liaison directe");
    assert_says((WayChange){.was = WAY_RELAYED, .is = WAY_DIRECT, .name = "Léa"},
                "Léa is linked with directly now: a direct path was found",
                "Léa est maintenant en liaison directe" NB ": un chemin direct a été trouvé");
    assert_says((WayChange){.was = WAY_DIRECT, .is = WAY_DIRECT, .name = "Léa"}, NULL, NULL);
}

static void test_relayed(void) {
    WayChange change = {.was = WAY_DIRECT, .is = WAY_RELAYED, .name = "Léa", .via = "Bob"};
    change.end = MESH_END_SILENT;
    assert_says(change, "Léa is reached through Bob: the direct link went silent",
                "Léa passe par Bob" NB ": la liaison directe est devenue muette");
    change.was = WAY_NONE; /* it was known to be gone for a moment */
    assert_says(change, "Léa is reached through Bob: the direct link went silent",
                "Léa passe par Bob" NB ": la liaison directe est devenue muette");
    change.was = WAY_DIRECT;
    change.end = MESH_END_SPARED;
    assert_says(change,
                "Léa is reached through Bob: it closed the direct link, having others enough",
                "Léa passe par Bob" NB ": il a fermé la liaison directe, d’autres lui suffisent");
    change.end = MESH_END_LET_GO;
    assert_says(
        change,
        "Léa is reached through Bob: this node closed the direct link, having others enough",
        "Léa passe par Bob" NB ": ce poste a fermé la liaison directe, d’autres lui suffisent");
    change.end = MESH_END_UNHEARD;
    assert_says(change,
                "Léa is reached through Bob: nothing of this node arrives there by the direct link",
                "Léa passe par Bob" NB ": rien de ce poste n’y arrive par la liaison directe");
    change.end = MESH_END_NETWORK;
    assert_says(change, "Léa is reached through Bob: the network of this computer changed",
                "Léa passe par Bob" NB ": le réseau de cet ordinateur a changé");
    change.end = MESH_END_RENEWED;
    assert_says(change, "Léa is reached through Bob: the direct link begins anew",
                "Léa passe par Bob" NB ": la liaison directe recommence");
    change.end = MESH_END_LEFT; /* and it is back */
    assert_says(change, "Léa is reached through Bob: there is no direct link",
                "Léa passe par Bob" NB ": il n’y a pas de liaison directe");
    change.end = MESH_END_NONE;
    assert_says(change, "Léa is reached through Bob: there is no direct link",
                "Léa passe par Bob" NB ": il n’y a pas de liaison directe");
    change.via = NULL;
    assert_says(change, "Léa is reached through another member: there is no direct link",
                "Léa passe par un autre membre" NB ": il n’y a pas de liaison directe");
}

static void test_moved(void) {
    WayChange change = {
        .was = WAY_RELAYED, .is = WAY_RELAYED, .name = "Léa", .via = "Zoé", .before = "Bob"};
    assert_says(change, "Léa is reached through Zoé now: this way is better",
                "Léa passe maintenant par Zoé" NB ": ce chemin est meilleur");
    change.carrier_cut = TRUE;
    assert_says(change, "Léa is reached through Zoé now: Bob is linked there no more",
                "Léa passe maintenant par Zoé" NB ": Bob n’a plus cette liaison");
    change.carrier_lost = TRUE;
    assert_says(change, "Léa is reached through Zoé now: the link to Bob is lost",
                "Léa passe maintenant par Zoé" NB ": la liaison avec Bob est perdue");
    change.before = NULL; /* the same one: only the rest of the way is another */
    assert_says(change, NULL, NULL);
}

static void test_gone(void) {
    WayChange change = {.was = WAY_DIRECT, .is = WAY_NONE, .name = "Léa", .end = MESH_END_LEFT};
    assert_says(change, "Léa is gone: it said goodbye",
                "Léa n’est plus là" NB ": il a dit au revoir");
    change.was = WAY_RELAYED; /* it was linked with, others carried */
    assert_says(change, "Léa is gone: it said goodbye",
                "Léa n’est plus là" NB ": il a dit au revoir");
    change.end = MESH_END_EXPELLED;
    assert_says(change, "Léa is gone: it was expelled", "Léa n’est plus là" NB ": il a été exclu");
    change.was = WAY_DIRECT;
    change.end = MESH_END_SPARED;
    assert_says(change,
                "Léa is out of reach: the direct link was closed as one too many, and there is no "
                "other way",
                "Léa est hors de portée" NB ": la liaison directe a été fermée comme superflue, et "
                "il n’y a pas d’autre chemin");
    change.end = MESH_END_UNHEARD;
    assert_says(change, "Léa is out of reach: nothing of this node arrives there any more",
                "Léa est hors de portée" NB ": rien de ce poste n’y arrive plus");
    change.end = MESH_END_NETWORK;
    assert_says(change, "Léa is out of reach: the network of this computer changed",
                "Léa est hors de portée" NB ": le réseau de cet ordinateur a changé");
    change.end = MESH_END_RENEWED;
    assert_says(change, "Léa is out of reach: the direct link was to begin anew, and did not",
                "Léa est hors de portée" NB
                ": la liaison directe devait recommencer, et ne l’a pas fait");
    change.end = MESH_END_SILENT;
    assert_says(change,
                "Léa is out of reach: the direct link went silent, and there is no other way",
                "Léa est hors de portée" NB
                ": la liaison directe est devenue muette, et il n’y a pas d’autre chemin");
    change.was = WAY_RELAYED;
    change.before = "Bob";
    assert_says(change, "Léa is out of reach: the way through Bob is broken",
                "Léa est hors de portée" NB ": le chemin par Bob est rompu");
    change.carrier_lost = TRUE;
    assert_says(change, "Léa is out of reach: the link to Bob, who carried, is lost",
                "Léa est hors de portée" NB ": la liaison avec Bob, qui relayait, est perdue");
    change.before = NULL;
    assert_says(change, "Léa is out of reach", "Léa est hors de portée");
    change.was = WAY_NONE;
    assert_says(change, NULL, NULL);
}

static void test_many(void) {
    g_autofree char *gone = way_many_sentence(LANGUAGE_ENGLISH, WAY_NONE, 12);
    g_autofree char *carried = way_many_sentence(LANGUAGE_FRENCH, WAY_RELAYED, 5);
    g_autofree char *linked = way_many_sentence(LANGUAGE_FRENCH, WAY_DIRECT, 250);
    g_autofree char *weak = way_weak_sentence(LANGUAGE_ENGLISH, "Bob", TRUE);
    g_autofree char *strong = way_weak_sentence(LANGUAGE_FRENCH, "Bob", FALSE);
    g_assert_cmpstr(gone, ==, "12 members are out of reach");
    g_assert_cmpstr(carried, ==, "5 membres passent par d’autres");
    g_assert_cmpstr(linked, ==, "250 membres sont en liaison directe");
    g_assert_cmpstr(weak, ==, "Bob carries nothing for others any more: the line is weak there");
    g_assert_cmpstr(strong, ==, "Bob relaie de nouveau pour les autres");
}

/* ---- maps to be shown ---- */

static void put_link(JsonBuilder *builder, const char *a, const char *b, int rtt_ms) {
    json_builder_begin_object(builder);
    json_put_text(builder, "a", a);
    json_put_text(builder, "b", b);
    json_put_int(builder, "rtt_ms", rtt_ms);
    json_put_real(builder, "loss", 0.01);
    json_put_int(builder, "room", 512000);
    json_put_flag(builder, "both", TRUE);
    json_builder_end_object(builder);
}

/* The first is oneself; six links each; beyond the sixth whoever carries is the second. */
static JsonNode *mesh_of(int count) {
    JsonBuilder *builder = json_begin_object();
    json_builder_set_member_name(builder, "members");
    json_builder_begin_array(builder);
    for (int i = 0; i < count; i++) {
        g_autofree char *id = g_strdup_printf("%064d", i);
        g_autofree char *named = g_strdup_printf("Membre %03d", i + 1);
        gboolean near = i > 0 && i <= 6;
        json_builder_begin_object(builder);
        json_put_text(builder, "id", id);
        json_put_text(builder, "name", named);
        json_put_flag(builder, "self", i == 0);
        json_put_flag(builder, "present", TRUE);
        json_put_int(builder, "hops", i == 0 ? 0 : near ? 1 : 3);
        g_autofree char *via = g_strdup_printf("%064d", 1);
        json_put_text(builder, "via", i == 0 || near ? "" : via);
        json_put_flag(builder, "neighbour", near);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "links");
    json_builder_begin_array(builder);
    for (int i = 0; i < count; i++) {
        g_autofree char *a = g_strdup_printf("%064d", i);
        for (int step = 1; step <= 3; step++) {
            g_autofree char *b = g_strdup_printf("%064d", (i + step * step) % count);
            put_link(builder, a, b, 5 << step);
        }
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return json_built(builder);
}

static JsonNode *map_read(const char *text) {
    JsonNode *node = json_read(text, strlen(text));
    g_assert_nonnull(node);
    return node;
}

static const char *const EXAMPLE =
    "{\"members\":["
    "{\"id\":\"e\",\"name\":\"Éric\",\"self\":false,\"present\":false,\"hops\":0,\"via\":\"\","
    "\"weak\":false,\"relay\":false,\"neighbour\":false},"
    "{\"id\":\"d\",\"name\":\"Dan\",\"self\":false,\"present\":true,\"hops\":3,\"via\":\"b\","
    "\"weak\":false,\"relay\":true,\"neighbour\":false},"
    "{\"id\":\"c\",\"name\":\"Chloé\",\"self\":false,\"present\":true,\"hops\":2,\"via\":\"b\","
    "\"weak\":true,\"relay\":false,\"neighbour\":false},"
    "{\"id\":\"b\",\"name\":\"Bob\",\"self\":false,\"present\":true,\"hops\":1,\"via\":\"\","
    "\"weak\":false,\"relay\":false,\"neighbour\":true},"
    "{\"id\":\"a\",\"name\":\"Zoé\",\"self\":true,\"present\":true,\"hops\":0,\"via\":\"\","
    "\"weak\":false,\"relay\":false,\"neighbour\":false}],"
    "\"links\":["
    "{\"a\":\"a\",\"b\":\"b\",\"rtt_ms\":5,\"loss\":0.01,\"room\":4000000,\"both\":true},"
    "{\"a\":\"b\",\"b\":\"c\",\"rtt_ms\":40,\"loss\":0.05,\"room\":64000,\"both\":true},"
    "{\"a\":\"c\",\"b\":\"d\",\"rtt_ms\":null,\"loss\":1.0,\"room\":0,\"both\":true},"
    "{\"a\":\"a\",\"b\":\"e\",\"rtt_ms\":80,\"loss\":0.15,\"room\":512000,\"both\":false},"
    "{\"a\":\"a\",\"b\":\"unknown\",\"rtt_ms\":80,\"loss\":0.15,\"room\":0,\"both\":true}],"
    "\"changes\":[{\"at\":\"nonsense\",\"member\":\"c\",\"text\":\"Chloé is \\u001b[2J here\"}]}";

static void test_text(void) {
    static const char *const wanted =
        "Members: 5 · here: 4 · reached through others: 2 · absent: 1\n"
        "\n"
        "*  Zoé    you                   Bob: <5 ms, Éric?: <80 ms (loss <15 %)\n"
        "   Bob    direct                Zoé: <5 ms, Chloé: <40 ms (loss <5 %, ≥64 kbit/s)\n"
        "~! Chloé  through Bob           Bob: <40 ms (loss <5 %, ≥64 kbit/s), "
        "Dan: slow (lossy, narrow)\n"
        "~+ Dan    through Bob, 3 links  Chloé: slow (lossy, narrow)\n"
        "×  Éric   absent                Zoé?: <80 ms (loss <15 %)\n"
        "\n"
        "* you  ~ reached through others  × absent  ! weak, carries nothing for others  + here to "
        "carry\n"
        "Of a link: the time there and back, losses from 1 %, rates below 512 kbit/s; ? only one "
        "end tells of it.\n"
        "\n"
        "Last changes:\n"
        "  --:--:--  Chloé is ·[2J here\n";
    g_autoptr(JsonNode) map = map_read(EXAMPLE);
    g_autofree char *text = chart_text(json_node_get_object(map), 0);
    g_assert_cmpstr(text, ==, wanted);
}

static void test_text_french(void) {
    g_autoptr(JsonNode) map = map_read(EXAMPLE);
    Language before = language_speak(LANGUAGE_FRENCH);
    g_autofree char *text = chart_text(json_node_get_object(map), 0);
    language_speak(before);
    g_assert_nonnull(strstr(text, "Membres" NB ": 5 · présents" NB ": 4"));
    g_assert_nonnull(
        strstr(text, "par Bob, 3 liaisons  Chloé" NB ": lente (fortes pertes, étroite)"));
    g_assert_nonnull(strstr(text, "×  Éric   absent"));
}

/* Of an empty answer, and of what is no map, nothing is made up. */
static void test_text_nothing(void) {
    static const char *const maps[] = {"{}", "{\"members\":[],\"links\":[]}",
                                       "{\"members\":7,\"links\":\"no\"}",
                                       "{\"members\":[{}],\"links\":[{}],\"changes\":[{}]}"};
    for (gsize i = 0; i < G_N_ELEMENTS(maps); i++) {
        g_autoptr(JsonNode) map = map_read(maps[i]);
        g_autofree char *text = chart_text(json_node_get_object(map), 80);
        g_autofree char *dot = chart_dot(json_node_get_object(map));
        g_assert_true(g_str_has_prefix(text, "Members: "));
        g_assert_true(g_str_has_prefix(dot, "graph maillon {"));
    }
}

/* A hundred members: by number, none of their lines wider than the terminal. */
static void test_text_wide(void) {
    g_autoptr(JsonNode) map = mesh_of(100);
    for (int columns = 80; columns <= 200; columns += 20) {
        g_autofree char *text = chart_text(json_node_get_object(map), columns);
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        guint begun = 0;
        for (char **line = lines + 2; **line != '\0'; line++) {
            if (g_ascii_isdigit((*line)[3])) { /* no line that goes on */
                g_assert_cmpuint(g_ascii_strtoull(*line, NULL, 10), ==, ++begun);
            }
            g_assert_cmpint(print_width(*line), <=, columns);
        }
        g_assert_cmpuint(begun, ==, 100);
    }
    g_autofree char *whole = chart_text(json_node_get_object(map), 0);
    g_assert_nonnull(strstr(whole, "\n   1 *  Membre 001  you"));
    /* The eighth is reached by the second, over three links. */
    g_assert_nonnull(strstr(whole, "\n   8 ~  Membre 008  through 2, 3 links  "));
    g_assert_nonnull(strstr(whole, " 9: <10 ms"));
}

/* ---- DOT ---- */

/* Reads what stands in quotes there, its escapes resolved; NULL: there is no such thing. */
static char *dot_string(const char **at) {
    GString *text = g_string_new(NULL);
    const char *next = *at;
    if (*next++ != '"') {
        g_string_free(text, TRUE);
        return NULL;
    }
    while (*next != '"') {
        g_assert_cmpint(*next, !=, '\0');
        g_assert_cmpint(*next, !=, '\n');
        if (*next == '\\') {
            next++;
            g_assert_nonnull(strchr("\"\\n", *next)); /* no other escape is ever meant */
            g_string_append_c(text, *next == 'n' ? '\n' : *next);
            next++;
        } else if (*next == '&') {
            g_assert_true(g_str_has_prefix(next, "&amp;"));
            g_string_append_c(text, '&');
            next += strlen("&amp;");
        } else {
            g_string_append_c(text, *next++);
        }
    }
    *at = next + 1;
    return g_string_free(text, FALSE);
}

/* `"id" [label="…", …];` or `"id" -- "id" [label="…", …];`: its label. */
static char *dot_label(const char *line, gboolean *ret_edge) {
    const char *at = line + strspn(line, " ");
    g_autofree char *id = dot_string(&at);
    *ret_edge = FALSE;
    g_assert_nonnull(id);
    if (g_str_has_prefix(at, " -- ")) {
        *ret_edge = TRUE;
        at += strlen(" -- ");
        g_autofree char *other = dot_string(&at);
        g_assert_nonnull(other);
    }
    g_assert_true(g_str_has_prefix(at, " [label="));
    at += strlen(" [label=");
    char *label = dot_string(&at);
    g_assert_nonnull(label);
    while (g_str_has_prefix(at, ", ")) {
        at += strlen(", ");
        at += strspn(at, "abcdefghijklmnopqrstuvwxyz");
        g_assert_cmpint(*at++, ==, '=');
        at += strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789");
    }
    g_assert_cmpstr(at, ==, "];");
    return label;
}

static GPtrArray *dot_labels(const char *dot, guint *ret_edges) {
    GPtrArray *labels = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) lines = g_strsplit(dot, "\n", -1);
    guint count = g_strv_length(lines);
    g_assert_cmpstr(lines[0], ==, "graph maillon {");
    g_assert_cmpstr(lines[count - 2], ==, "}");
    g_assert_cmpstr(lines[count - 1], ==, "");
    *ret_edges = 0;
    for (guint i = 4; i < count - 2; i++) {
        gboolean edge = FALSE;
        g_ptr_array_add(labels, dot_label(lines[i], &edge));
        *ret_edges += edge;
    }
    return labels;
}

static void test_dot(void) {
    g_autoptr(JsonNode) map = map_read(EXAMPLE);
    g_autofree char *dot = chart_dot(json_node_get_object(map));
    guint edges = 0;
    g_autoptr(GPtrArray) labels = dot_labels(dot, &edges);
    g_assert_cmpuint(labels->len, ==, 5 + 5);
    g_assert_cmpuint(edges, ==, 5);
    g_assert_cmpstr(g_ptr_array_index(labels, 0), ==, "Éric\nabsent");
    g_assert_cmpstr(g_ptr_array_index(labels, 1), ==, "Dan\nthrough Bob, 3 links\nrelay");
    g_assert_cmpstr(g_ptr_array_index(labels, 2), ==, "Chloé\nthrough Bob\nweak");
    g_assert_cmpstr(g_ptr_array_index(labels, 4), ==, "Zoé\nyou");
    g_assert_cmpstr(g_ptr_array_index(labels, 8), ==, "<80 ms (loss <15 %) ?");
}

/* Names that would end their quotes, be an escape, or turn the drawing around. */
static void test_dot_names(void) {
    static const struct {
        const char *json, *shown;
    } names[] = {
        {"\\\"]; \\\"x\\\" -- \\\"y\\\" [a=\\\"", "\"]; \"x\" -- \"y\" [a=\""},
        {"\\\\", "\\"},
        {"\\\\\\\"", "\\\""},
        {"\\\\N\\\\G\\\\l", "\\N\\G\\l"},
        {"a\\nb\\u0007\\u001b", "a[U+000A]b[U+0007][U+001B]"},
        {"\\u202eevil\\u2069\\u200f", "[U+202E]evil[U+2069][U+200F]"},
        {"<b>&amp;&lt;</b>", "<b>&amp;&lt;</b>"},
        {"会議 🙂", "会議 🙂"},
        {"", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *json = g_strdup_printf(
            "{\"members\":[{\"id\":\"a\",\"name\":\"%s\",\"self\":true,\"present\":true}],"
            "\"links\":[]}",
            names[i].json);
        g_autofree char *wanted = g_strconcat(names[i].shown, "\nyou", NULL);
        g_autoptr(JsonNode) map = map_read(json);
        g_autofree char *dot = chart_dot(json_node_get_object(map));
        guint edges = 0;
        g_autoptr(GPtrArray) labels = dot_labels(dot, &edges);
        g_assert_cmpuint(edges, ==, 0);
        g_assert_cmpuint(labels->len, ==, 1);
        g_assert_cmpstr(g_ptr_array_index(labels, 0), ==, wanted);
    }
}

/* ---- a change as a line ---- */

static void test_change(void) {
    g_autoptr(JsonNode) event = map_read("{\"at\":\"2026-11-29T18:56:29Z\",\"text\":\"Léa passe\","
                                         "\"texts\":{\"fr\":\"Léa passe\",\"en\":\"Léa is\"}}");
    g_autofree char *line = peers_change(json_node_get_object(event));
    g_assert_true(g_str_has_suffix(line, ":29  Léa is")); /* as this program speaks */
    g_assert_cmpint(print_width(line), ==, (int)strlen("18:56:29  Lea is"));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/map/direct", test_direct);
    g_test_add_func("/map/relayed", test_relayed);
    g_test_add_func("/map/moved", test_moved);
    g_test_add_func("/map/gone", test_gone);
    g_test_add_func("/map/many", test_many);
    g_test_add_func("/map/text", test_text);
    g_test_add_func("/map/text-french", test_text_french);
    g_test_add_func("/map/text-nothing", test_text_nothing);
    g_test_add_func("/map/text-wide", test_text_wide);
    g_test_add_func("/map/dot", test_dot);
    g_test_add_func("/map/dot-names", test_dot_names);
    g_test_add_func("/map/change", test_change);
    return g_test_run();
}
