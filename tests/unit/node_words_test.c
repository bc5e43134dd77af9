/* SPDX-License-Identifier: MPL-2.0 */
/* What a person types and what comes on the bus: words, JSON, the table of commands. */
#include <string.h>

#include "mesh/limits.h"
#include "node/bus/json.h"
#include "node/bus/request.h"
#include "node/cli/words.h"

/* ---- JSON ---- */

static void test_json_read(void) {
    static const char *const bad[] = {
        "",        "{",    "[1,]",       "{\"a\":}",     "nul",          "\xff\xfe",
        "{'a':1}", "/**/", "{} // more", "\"unfinished", "{\"a\":1}{}}", "]",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_null(json_read(bad[i], strlen(bad[i])));
    }
    const char *text = "{\"a\":[1,2.5,\"]}]}\",true,null]}";
    g_autoptr(JsonNode) node = json_read(text, strlen(text));
    g_assert_nonnull(node);
    g_autofree char *again = json_write(node);
    g_assert_cmpstr(again, ==, text);
}

static void test_json_limits(void) {
    g_autofree char *deep = g_strnfill(100000, '[');
    g_autofree char *objects = g_strnfill(JSON_DEPTH_MAX * 5 + 5, ' ');
    g_autofree char *large = g_strnfill(JSON_BYTES_MAX + 1, ' ');
    g_assert_null(json_read(deep, 100000));
    g_assert_null(json_read_answer(deep, 100000));
    for (guint i = 0; i <= JSON_DEPTH_MAX; i++) {
        memcpy(objects + i * 5, "{\"a\":", 5);
    }
    g_assert_null(json_read(objects, JSON_DEPTH_MAX * 5 + 5));
    large[0] = '1';
    g_assert_null(json_read(large, JSON_BYTES_MAX + 1));
    g_autoptr(JsonNode) answer = json_read_answer(large, JSON_BYTES_MAX + 1);
    g_assert_nonnull(answer);
    /* Garbage from a seed: whatever it is, it is refused or written again. */
    g_autoptr(GRand) dice = g_rand_new_with_seed(7);
    for (guint round = 0; round < 3000; round++) {
        char text[64];
        gsize length = (gsize)g_rand_int_range(dice, 0, sizeof text);
        for (gsize i = 0; i < length; i++) {
            text[i] = "{}[]\",:\\0123eE+-.truefalsn \xc3\xa9\xff"[g_rand_int_range(dice, 0, 31)];
        }
        g_autoptr(JsonNode) node = json_read(text, length);
        g_autofree char *written = node != NULL ? json_write(node) : NULL;
        g_assert_true((written == NULL) == (node == NULL));
    }
}

static void test_json_members(void) {
    const char *text = "{\"t\":\"x\",\"i\":7,\"r\":0.5,\"f\":true,\"l\":[]}";
    g_autoptr(JsonNode) node = json_read(text, strlen(text));
    JsonObject *object = json_node_get_object(node);
    g_assert_cmpstr(json_text(object, "t", "?"), ==, "x");
    g_assert_cmpstr(json_text(object, "i", "?"), ==, "?");
    g_assert_cmpint(json_int(object, "i", 0), ==, 7);
    g_assert_cmpint(json_int(object, "t", -1), ==, -1);
    g_assert_cmpfloat(json_real(object, "r"), ==, 0.5);
    g_assert_cmpfloat(json_real(object, "i"), ==, 7);
    g_assert_true(json_flag(object, "f"));
    g_assert_false(json_flag(object, "none"));
    g_assert_nonnull(json_list(object, "l"));
    g_assert_null(json_list(object, "t"));
}

/* Bytes of another node that are no text must not make our own answer unreadable. */
static void test_json_foreign_text(void) {
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "\xff name", "bad \xc3 text \x01");
    json_put_text(builder, "none", NULL);
    json_put_begin(builder, "inside");
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) node = json_built(builder);
    g_autofree char *text = json_write(node);
    g_autoptr(JsonNode) again = json_read_answer(text, strlen(text));
    g_assert_nonnull(again);
    g_assert_cmpstr(json_text(json_node_get_object(again), "none", "?"), ==, "");
}

/* ---- the table ---- */

static void test_durations(void) {
    static const struct {
        const char *text;
        gint64 seconds;
    } good[] = {{"1", 1},       {"90s", 90},    {"15m", 900},
                {"24h", 86400}, {"7d", 604800}, {"2j", 172800}};
    static const char *const bad[] = {
        "", "0", "-1", "s", "1 h", "1w", "1hh", "0x1", "1.5h", "4000d", "99999999999999999999"};
    gint64 seconds = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(command_seconds(good[i].text, &seconds));
        g_assert_cmpint(seconds, ==, good[i].seconds);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(command_seconds(bad[i], &seconds));
    }
}

static void test_sizes(void) {
    static const struct {
        const char *text;
        gint64 bytes;
    } good[] = {{"0", 0}, {"7", 7}, {"500k", 500000}, {"20M", 20000000}, {"1g", 1000000000}};
    static const char *const bad[] = {"", "k", "-1", "1 M", "1T", "2000G", "99999999999999999999"};
    gint64 bytes = -1;
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(command_size(good[i].text, &bytes));
        g_assert_cmpint(bytes, ==, good[i].bytes);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(command_size(bad[i], &bytes));
    }
}

static gboolean checks(const char *words, const char *arguments) {
    g_autoptr(JsonNode) node = json_read(arguments, strlen(arguments));
    g_autoptr(GError) error = NULL;
    gboolean good = command_check(command_find(words), json_node_get_object(node), &error);
    g_assert_true(good == (error == NULL));
    return good;
}

/* Understood, and not possible: too long, or nothing to be put on the others' terminals. */
static void test_refused(void) {
    g_autofree char *title = g_strnfill(MESH_TITLE_MAX + 1, 'x');
    g_autofree char *text = g_strnfill(MESH_TEXT_MAX + 1, 'x');
    const struct {
        const char *words, *name, *value;
        gboolean good;
    } cases[] = {
        {"meeting create", "title", title + 1, TRUE},
        {"meeting create", "title", title, FALSE},
        {"meeting create", "title", "two\nlines", FALSE},
        {"say", "text", text + 1, TRUE},
        {"say", "text", text, FALSE},
        {"say", "text", "two\nlines\tand a tab", TRUE},
        {"say", "text", "\033[31mred", FALSE},
        {"say", "text",
         "\xc2\x9b"
         "31mred",
         FALSE},
        {"doc add", "file", "/odd\nname", TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(JsonObject) arguments = json_object_new();
        g_autoptr(GError) error = NULL;
        json_object_set_string_member(arguments, cases[i].name, cases[i].value);
        g_assert_true(command_check(command_find(cases[i].words), arguments, &error) ==
                      cases[i].good);
        g_assert_true(cases[i].good || g_error_matches(error, COMMAND_ERROR, COMMAND_ERROR_LONG) ||
                      g_error_matches(error, COMMAND_ERROR, COMMAND_ERROR_SIGNS));
    }
}

static void test_check(void) {
    g_assert_true(checks("say", "{\"text\":\"bonjour\"}"));
    g_assert_false(checks("say", "{}"));
    g_assert_false(checks("say", "{\"text\":\"\"}"));
    g_assert_false(checks("say", "{\"text\":7}"));
    g_assert_false(checks("say", "{\"text\":null}"));
    g_assert_false(checks("say", "{\"text\":{}}"));
    g_assert_false(checks("say", "{\"text\":\"a\",\"more\":1}"));
    g_assert_true(checks("invite", "{\"role\":\"guest\",\"uses\":3,\"valid\":60}"));
    g_assert_false(checks("invite", "{\"role\":\"founder\"}"));
    g_assert_false(checks("invite", "{\"uses\":0}"));
    g_assert_false(checks("invite", "{\"uses\":4294967296}"));
    g_assert_false(checks("invite", "{\"qr\":true}"));
    g_assert_false(checks("doc get", "{\"id\":\"a\"}"));
    g_assert_true(checks("join", "{\"ticket\":\"a\",\"by-hand\":true}"));
    g_assert_false(checks("join", "{\"ticket\":\"a\",\"by-hand\":1}"));
}

static void test_limit(void) {
    g_assert_true(checks("bandwidth", "{}"));
    g_assert_true(checks("bandwidth", "{\"level\":\"slides\",\"max\":0}"));
    g_assert_true(checks("bandwidth", "{\"max\":2147483647}"));
    g_assert_false(checks("bandwidth", "{\"max\":2147483648}"));
    g_assert_false(checks("bandwidth", "{\"max\":-1}"));
    g_assert_false(checks("bandwidth", "{\"max\":\"none\"}"));
    g_assert_false(checks("bandwidth", "{\"level\":\"most\"}"));
    g_assert_false(checks("peers", "{\"watch\":true}"));
    g_assert_false(checks("map", "{\"dot\":true}"));
}

/* Whoever asks may say in which language; any other code leaves it to the node. */
static void test_request_language(void) {
    static const struct {
        const char *text;
        Language language;
    } cases[] = {
        {"{\"command\":\"peers\",\"language\":\"fr\"}", LANGUAGE_FRENCH},
        {"{\"command\":\"peers\",\"language\":\"en\"}", LANGUAGE_ENGLISH},
        {"{\"command\":\"peers\",\"language\":\"de\"}", LANGUAGE_ENGLISH},
        {"{\"command\":\"peers\",\"language\":7}", LANGUAGE_ENGLISH},
        {"{\"command\":\"peers\"}", LANGUAGE_ENGLISH},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GBytes) body = g_bytes_new_static(cases[i].text, strlen(cases[i].text));
        g_autoptr(JsonObject) arguments = NULL;
        g_autoptr(GError) error = NULL;
        Language language = (Language)-1;
        g_assert_nonnull(request_read(body, &arguments, &language, &error));
        g_assert_no_error(error);
        g_assert_cmpint(language, ==, cases[i].language);
    }
}

/* ---- words ---- */

static Words *read_line(const char *line, GError **error) {
    g_auto(GStrv) argv = g_strsplit(line, "|", -1);
    return words_read((int)g_strv_length(argv), argv, error);
}

static void test_words(void) {
    g_autoptr(Words) words =
        read_line("--home|/h|meeting|--json|create|La crue|--profile=council", NULL);
    g_assert_nonnull(words);
    g_assert_cmpstr(words->command->words, ==, "meeting create");
    g_assert_cmpstr(words->home, ==, "/h");
    g_assert_true(words->json);
    g_assert_cmpstr(json_text(words->arguments, "title", ""), ==, "La crue");
    g_assert_cmpstr(json_text(words->arguments, "profile", ""), ==, "council");
    g_autoptr(Words) says = read_line("say|--|--json", NULL);
    g_assert_cmpstr(json_text(says->arguments, "text", ""), ==, "--json");
    g_assert_false(says->json);
    g_autoptr(Words) dash = read_line("say|- un point", NULL);
    g_assert_cmpstr(json_text(dash->arguments, "text", ""), ==, "- un point");
    g_autoptr(Words) get = read_line("doc|get|abc|-o|/x/y.pdf", NULL);
    g_assert_cmpstr(json_text(get->arguments, "output", ""), ==, "/x/y.pdf");
    g_autoptr(Words) attached = read_line("doc|get|abc|-o/x/y.pdf", NULL);
    g_assert_cmpstr(json_text(attached->arguments, "output", ""), ==, "/x/y.pdf");
    g_autoptr(Words) start = read_line("start|--fetch-max|20M|--no-page", NULL);
    g_assert_cmpint(json_int(start->local, "fetch-max", 0), ==, 20000000);
    g_assert_true(json_flag(start->local, "no-page"));
    g_autoptr(Words) limit = read_line("bandwidth|--max|none", NULL);
    g_assert_cmpint(json_int(limit->arguments, "max", -1), ==, 0);
    g_autoptr(Words) kbit = read_line("bandwidth|voice|--max=40", NULL);
    g_assert_cmpint(json_int(kbit->arguments, "max", -1), ==, 40);
    g_autoptr(Words) record = read_line("record|/x/y.wav", NULL);
    g_assert_cmpstr(record->command->words, ==, "record");
    g_autoptr(Words) ends = read_line("record|stop", NULL);
    g_assert_cmpstr(ends->command->words, ==, "record stop");
    g_autoptr(Words) map = read_line("map|--dot", NULL);
    g_assert_true(json_flag(map->local, "dot"));
    g_autoptr(Words) help = read_line("vote|--help", NULL);
    g_assert_cmpint(help->wish, ==, WORDS_HELP);
    g_auto(GStrv) about = g_strsplit("motion|--help", "|", -1);
    g_autoptr(Words) several = words_read(2, about, NULL);
    g_assert_null(several->command);
    g_assert_cmpstr(several->topic, ==, "motion");
}

static void test_words_wrong(void) {
    static const char *const lines[] = {
        "",
        "nothing",
        "nothing|--help",
        "meeting",
        "meeting|create",
        "say|a|b",
        "say|a|--loud",
        "say|a|-z",
        "status|--json=1",
        "invite|--uses",
        "invite|--uses|none",
        "bandwidth|--max|0",
        "bandwidth|--max|much",
        "record",
        "invite|--uses|1|--uses|2",
        "invite|--valid|tomorrow",
        "start|--fetch-max|much",
        "doc|get|abc",
        "map|--dot|--json",
        "map|here",
        "say|\xff",
        "--home",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(read_line(lines[i], &error));
        g_assert_error(error, COMMAND_ERROR, COMMAND_ERROR_USAGE);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/words/json/read", test_json_read);
    g_test_add_func("/words/json/limits", test_json_limits);
    g_test_add_func("/words/json/members", test_json_members);
    g_test_add_func("/words/json/foreign-text", test_json_foreign_text);
    g_test_add_func("/words/durations", test_durations);
    g_test_add_func("/words/sizes", test_sizes);
    g_test_add_func("/words/check", test_check);
    g_test_add_func("/words/limit", test_limit);
    g_test_add_func("/words/request-language", test_request_language);
    g_test_add_func("/words/refused", test_refused);
    g_test_add_func("/words/read", test_words);
    g_test_add_func("/words/wrong", test_words_wrong);
    return g_test_run();
}
