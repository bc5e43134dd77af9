/* SPDX-License-Identifier: MPL-2.0 */
/* The map in DOT. */
#include "node/bus/json.h"
#include "node/cli/chart.h"
#include "node/cli/language.h"

static const char *text_of(JsonObject *object, const char *name) {
    return json_text(object, name, "");
}

/* What is not seen, and turns the writing around it or hides. */
static gboolean is_unseen(gunichar c) {
    return g_unichar_iscntrl(c) || c == 0xad || c == 0x61c || c == 0x200b || c == 0x200e ||
           c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
           c == 0xfeff;
}

/* Inside quotes: a backslash begins an escape there, an ampersand a character by its name. */
static void add_quoted(GString *text, const char *said) {
    for (const char *at = said; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (is_unseen(c)) {
            g_string_append_printf(text, "[U+%04X]", c);
        } else if (c == '"' || c == '\\') {
            g_string_append_printf(text, "\\%c", (char)c);
        } else if (c == '&') {
            g_string_append(text, "&amp;");
        } else {
            g_string_append_unichar(text, c);
        }
    }
}

static void add_member(GString *text, JsonObject *map, JsonObject *member) {
    gboolean here = json_flag(member, "present");
    gboolean self = json_flag(member, "self");
    g_autofree char *way = chart_way(map, member);
    g_string_append_printf(text, "  \"%s\" [label=\"", text_of(member, "id"));
    add_quoted(text, text_of(member, "name"));
    g_string_append(text, "\\n");
    add_quoted(text, way);
    if (json_flag(member, "weak")) {
        g_string_append_printf(text, "\\n%s", _("weak"));
    }
    if (json_flag(member, "relay")) {
        g_string_append_printf(text, "\\n%s", _("relay"));
    }
    /* Never by colour alone. */
    g_string_append_printf(text, "\", shape=%s, style=%s, color=%s];\n",
                           self                         ? "doubleoctagon"
                           : json_flag(member, "relay") ? "box"
                           : json_flag(member, "weak")  ? "diamond"
                                                        : "ellipse",
                           !here                                    ? "dotted"
                           : self || json_flag(member, "neighbour") ? "bold"
                                                                    : "dashed",
                           here ? "black" : "gray40");
}

static void add_link(GString *text, JsonObject *link) {
    g_autofree char *quality = chart_quality(link);
    gboolean both = json_flag(link, "both");
    g_string_append_printf(text, "  \"%s\" -- \"%s\" [label=\"", text_of(link, "a"),
                           text_of(link, "b"));
    add_quoted(text, quality);
    g_string_append_printf(text, "%s\", style=%s];\n", both ? "" : " ?", both ? "solid" : "dashed");
}

char *chart_dot(JsonObject *map) {
    JsonArray *members = json_list(map, "members");
    JsonArray *links = json_list(map, "links");
    GString *text = g_string_new("graph maillon {\n"
                                 "  graph [overlap=false, splines=true];\n"
                                 "  node [fontname=\"sans-serif\"];\n"
                                 "  edge [fontname=\"sans-serif\", fontsize=10];\n");
    for (guint i = 0; members != NULL && i < json_array_get_length(members); i++) {
        add_member(text, map, json_array_get_object_element(members, i));
    }
    for (guint i = 0; links != NULL && i < json_array_get_length(links); i++) {
        add_link(text, json_array_get_object_element(links, i));
    }
    g_string_append(text, "}\n");
    return g_string_free(text, FALSE);
}
