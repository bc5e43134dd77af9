/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/print.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "media/protocol.h"
#include "node/bus/json.h"
#include "node/cli/chart.h"
#include "node/cli/language.h"
#include "node/cli/peers.h"
#include "node/cli/stats.h"

#define SHORT_ID    8
#define NAME_COLUMN 20

static const char *text_of(JsonObject *object, const char *name) {
    return json_text(object, name, "");
}

/* Control characters are shown as dots. */
char *print_harmless(const char *text) {
    GString *clean = g_string_new(NULL);
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        gboolean steers =
            g_unichar_iscntrl(c) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
        if (c == '\n') {
            g_string_append(clean, "\n    ");
        } else if (steers && c != '\t') {
            g_string_append(clean, "·");
        } else {
            g_string_append_unichar(clean, c);
        }
    }
    return g_string_free(clean, FALSE);
}

char *print_short(const char *text, glong letters) {
    char *clean = g_strdelimit(print_harmless(text), "\n\t", ' ');
    if (g_utf8_strlen(clean, -1) > letters) {
        g_autofree char *whole = clean;
        g_autofree char *begun = g_utf8_substring(whole, 0, letters - 1);
        clean = g_strconcat(begun, "…", NULL);
    }
    return clean;
}

int print_width(const char *text) {
    int width = 0;
    for (; *text != '\0'; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        width += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
    }
    return width;
}

static struct winsize screen(void) {
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) {
        size = (struct winsize){0};
    }
    return size;
}

int print_columns(void) {
    return screen().ws_col;
}

int print_rows(void) {
    return screen().ws_row;
}

void print_column(const char *text, int width) {
    printf("%s%*s", text, MAX(width - print_width(text), 0), "");
}

char *print_tenths(double value) {
    long long tenths = (long long)(value * 10 + 0.5);
    return g_strdup_printf(_("%lld.%lld"), tenths / 10, tenths % 10);
}

static void print_size(gint64 bytes) {
    g_autofree char *tenths = print_tenths((double)bytes / (bytes < 1000000 ? 1000 : 1000000));
    if (bytes < 1000) {
        printf(_("%lld B"), (long long)bytes);
    } else if (bytes < 1000000) {
        printf(_("%s kB"), tenths);
    } else {
        printf(_("%s MB"), tenths);
    }
}

static void print_voice(JsonObject *message, JsonObject *voice) {
    long long seconds = (long long)(json_int(voice, "duration_ms", 0) + 500) / 1000;
    printf(json_flag(voice, "whole") ? _("▶ voice message, %lld s  (maillon voice play %.*s)\n")
                                     : _("▶ voice message, %lld s so far, its end is missing  "
                                         "(maillon voice play %.*s)\n"),
           seconds, SHORT_ID, text_of(message, "id"));
}

void print_message(JsonObject *message) {
    g_autoptr(GDateTime) sent = g_date_time_new_from_iso8601(text_of(message, "sent_at"), NULL);
    g_autoptr(GDateTime) here = sent != NULL ? g_date_time_to_local(sent) : NULL;
    g_autofree char *clock =
        here != NULL ? g_date_time_format(here, "%d/%m %H:%M") : g_strdup("--:--");
    g_autofree char *name = print_harmless(text_of(message, "name"));
    g_autofree char *text = print_harmless(text_of(message, "text"));
    if (json_object_has_member(message, "voice")) {
        printf("%s  %s  ", clock, name);
        print_voice(message, json_object_get_object_member(message, "voice"));
        return;
    }
    printf("%s  %s: %s\n", clock, name, text);
}

static void each(JsonArray *array, void (*print)(JsonObject *)) {
    for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
        print(json_array_get_object_element(array, i));
    }
}

static void print_meeting(JsonObject *meeting) {
    g_autofree char *title = print_harmless(text_of(meeting, "title"));
    gint64 members = json_int(meeting, "members", 0);
    gboolean relay = strcmp(text_of(meeting, "role"), "relay") == 0;
    printf("%s %.*s  %s, ", json_flag(meeting, "current") ? "*" : " ", SHORT_ID,
           text_of(meeting, "id"), relay ? _("a meeting this relay carries for") : title);
    printf(members == 1 ? _("%lld member") : _("%lld members"), (long long)members);
    if (strcmp(text_of(meeting, "state"), "left") == 0) {
        printf(", %s", _("left"));
    }
    puts("");
    if (json_flag(meeting, "copied")) {
        printf("  %s\n", _("this home was copied, and the copy runs too: the others reach now one, "
                           "now the other. Stop one of the two"));
    }
}

static void print_path(JsonObject *peer, JsonArray *peers) {
    printf(", %s", _(text_of(peer, "path")));
    if (text_of(peer, "via")[0] != '\0') {
        g_autofree char *way = peers_way(peer, peers);
        printf(" %s", way);
    }
    if (text_of(peer, "line")[0] == '\0') {
        return; /* without a link of its own nothing is measured */
    }
    g_autofree char *loss = print_tenths(json_real(peer, "loss") * 100);
    printf(_(", %lld ms, %s %% lost, %lld kbit/s"), (long long)json_int(peer, "rtt_ms", 0), loss,
           (long long)(json_int(peer, "rate_bps", 0) + 500) / 1000);
}

static void print_peers(JsonArray *peers) {
    for (guint i = 0; i < json_array_get_length(peers); i++) {
        JsonObject *peer = json_array_get_object_element(peers, i);
        g_autofree char *name = print_harmless(text_of(peer, "name"));
        const char *state = text_of(peer, "state");
        printf("  %.*s  ", SHORT_ID, text_of(peer, "id"));
        print_column(name, NAME_COLUMN);
        printf(" %s", _(state));
        if (strcmp(state, "up") == 0) {
            print_path(peer, peers);
        }
        puts("");
    }
}

static void print_hand(JsonObject *hand) {
    g_autofree char *name = print_harmless(text_of(hand, "name"));
    printf("%4lld. %s%s\n", (long long)json_int(hand, "number", 0), name,
           json_flag(hand, "self") ? _(", you") : "");
}

static void print_hands(JsonArray *hands) {
    each(hands, print_hand);
    if (json_array_get_length(hands) == 0) {
        puts(_("nobody asks to speak"));
    }
}

static void print_status(JsonObject *status) {
    g_autofree char *name = print_harmless(text_of(status, "name"));
    printf("%s  (%s)\n", name, text_of(status, "id"));
    if (text_of(status, "recording")[0] != '\0') {
        printf(_("Recording what is heard into %s"), text_of(status, "recording"));
        puts("");
    }
    if (json_object_has_member(status, "store_max")) {
        printf("%s ", _("What it keeps for members who are away, at most:"));
        print_size(json_int(status, "store_max", 0));
        puts("");
    }
    JsonArray *meetings = json_list(status, "meetings");
    if (meetings == NULL || json_array_get_length(meetings) == 0) {
        puts(_("in no meeting: `maillon meeting create TITLE` or `maillon join TICKET`"));
        return;
    }
    puts(_("Meetings"));
    each(meetings, print_meeting);
    JsonArray *peers = json_list(status, "peers");
    if (peers != NULL && json_array_get_length(peers) > 0) {
        puts(_("Members"));
        print_peers(peers);
    }
    JsonArray *hands = json_list(status, "hands");
    if (hands != NULL && json_array_get_length(hands) > 0) {
        puts(_("Asking to speak"));
        each(hands, print_hand);
    }
}

static void print_member(JsonObject *member) {
    g_autofree char *name = print_harmless(text_of(member, "name"));
    printf("  %.*s  ", SHORT_ID, text_of(member, "id"));
    print_column(name, NAME_COLUMN);
    printf(" %s%s%s%s\n", _(text_of(member, "role")), json_flag(member, "self") ? _(", you") : "",
           json_flag(member, "expelled") ? _(", expelled") : "",
           json_flag(member, "forked") ? _(", has signed contradicting entries") : "");
}

static void print_document(JsonObject *document) {
    g_autofree char *name = print_harmless(text_of(document, "name"));
    gint64 size = json_int(document, "size", 0);
    gint64 have = json_int(document, "have", 0);
    printf("  %.*s  %s, ", SHORT_ID, text_of(document, "id"), name);
    print_size(size);
    if (have < size) {
        printf(_(", %lld %% here"), (long long)(have * 100 / size));
    }
    puts("");
}

/* A choice is shown as it was written, whatever word it is; only no choice at all is translated. */
static void print_outcome(JsonObject *motion) {
    const char *outcome = text_of(motion, "outcome");
    JsonObject *tally = json_object_get_object_member(motion, "tally");
    if (outcome[0] != '\0') {
        g_autofree char *clean = print_harmless(outcome);
        printf(" → %s", json_object_has_member(tally, outcome) ? clean : _(clean));
    }
}

static void print_motion_line(JsonObject *motion) {
    g_autofree char *text = print_harmless(text_of(motion, "text"));
    printf("  %.*s  ", SHORT_ID, text_of(motion, "id"));
    printf(_("%s: %s"), _(text_of(motion, "state")), text);
    print_outcome(motion);
    puts("");
}

/* Who has voted; once it is closed how, and before who has not. */
static void print_voter(JsonObject *voter) {
    g_autofree char *name = print_harmless(text_of(voter, "name"));
    g_autofree char *choice = print_harmless(text_of(voter, "choice"));
    gboolean voted = json_flag(voter, "voted");
    printf("          ");
    print_column(name, NAME_COLUMN);
    printf(" %s\n", choice[0] != '\0' ? choice : voted ? _("has voted") : _("has not voted"));
}

static void print_motion(JsonObject *motion) {
    print_motion_line(motion);
    JsonObject *tally = json_object_get_object_member(motion, "tally");
    g_autoptr(GList) choices = json_object_get_members(tally);
    for (GList *at = choices; at != NULL; at = at->next) {
        g_autofree char *choice = print_harmless(at->data);
        printf("    %4lld  %s\n", (long long)json_int(tally, at->data, 0), choice);
    }
    each(json_list(motion, "voters"), print_voter);
}

static void print_device(JsonObject *device) {
    g_autofree char *name = print_harmless(text_of(device, "name"));
    g_autofree char *source = print_harmless(text_of(device, "source"));
    printf("  %s\n    %s\n", name, source);
}

static void print_devices(JsonObject *devices) {
    const struct {
        const char *title, *list;
    } lists[] = {{_("Microphones"), "microphones"},
                 {_("Cameras"), "cameras"},
                 {_("Loudspeakers"), "speakers"}};
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        JsonArray *list = json_list(devices, lists[i].list);
        puts(lists[i].title);
        each(list, print_device);
        if (json_array_get_length(list) == 0) {
            puts(_("  none found: connect one, and ask again"));
        }
    }
    puts(json_flag(devices, "echo_cancelled") ? _("Echo is taken out of the microphone.")
                                              : _("the microphone keeps its echo: install "
                                                  "gstreamer1.0-plugins-bad, or use a headset"));
}

static void print_tried(JsonObject *tried) {
    gint64 peak_db = json_int(tried, "peak_db", 0);
    if (!json_object_has_member(tried, "peak_db")) {
        puts(_("done"));
    } else if (peak_db <= -MEDIA_LEVEL_SILENCE) {
        printf("%s", _("nothing was heard: is it switched off, or turned down?\n"));
    } else {
        printf(_("loudest: %lld dB of full scale\n"), (long long)peak_db);
    }
}

static void print_recorded(JsonObject *record) {
    gint64 seconds = json_int(record, "seconds", 0);
    printf(_("%s: %lld min %02lld s recorded"), text_of(record, "path"), (long long)seconds / 60,
           (long long)seconds % 60);
    puts("");
}

static void print_left(JsonObject *meeting) {
    if (json_flag(meeting, "forgotten")) {
        puts(_("left, and forgotten here"));
        return;
    }
    printf(_("left: `maillon meeting use %.*s` takes part again"), SHORT_ID,
           text_of(meeting, "id"));
    puts("");
}

static void print_bandwidth(JsonObject *setting) {
    const char *level = text_of(setting, "level");
    gint64 kbit = json_int(setting, "max_kbit", 0);
    const char *pictures = strcmp(level, "voice") == 0    ? _("voice alone, no pictures")
                           : strcmp(level, "slides") == 0 ? _("pictures only as stills")
                                                          : _("pictures as the line allows");
    if (kbit > 0) {
        printf(_("%s; no more than %lld kbit/s in all"), pictures, (long long)kbit);
    } else {
        printf(_("%s; no ceiling"), pictures);
    }
    puts("");
}

/* What `join` and `accept` led to; a script asks for JSON. */
static void print_joined(JsonObject *meeting) {
    g_autofree char *title = print_harmless(text_of(meeting, "title"));
    if (json_object_has_member(meeting, "code")) {
        puts(text_of(meeting, "code"));
    } else {
        printf("%.*s  %s\n", SHORT_ID, text_of(meeting, "id"), title);
    }
}

static void print_played(JsonObject *played) {
    long long seconds = (long long)(json_int(played, "played_ms", 0) + 500) / 1000;
    printf(json_flag(played, "whole") ? _("played: %lld s\n")
                                      : _("played: %lld s; that is not all of it\n"),
           seconds);
}

void print_json(JsonNode *node) {
    g_autofree char *text = json_write(node);
    puts(text);
    fflush(stdout);
}

static void print_map(JsonObject *map) {
    g_autofree char *text = chart_text(map, print_columns());
    fputs(text, stdout);
}

/* The others answer with at most one thing worth printing. */
static void print_thing(JsonObject *object) {
    static const char *const things[] = {"ticket", "code", "id", "path", "address"};
    for (size_t i = 0; i < G_N_ELEMENTS(things); i++) {
        const char *text = json_text(object, things[i], NULL);
        if (text != NULL) {
            puts(text);
            return;
        }
    }
    puts(_("done"));
}

void print_answer(const char *command, JsonNode *answer) {
    static const struct {
        const char *command;
        void (*object)(JsonObject *);
    } prints[] = {
        {"status", print_status},        {"stats", stats_print},
        {"messages", print_message},     {"meeting list", print_meeting},
        {"doc list", print_document},    {"roster list", print_member},
        {"join", print_joined},          {"motion list", print_motion_line},
        {"motion show", print_motion},   {"accept", print_joined},
        {"bandwidth", print_bandwidth},  {"meeting leave", print_left},
        {"record stop", print_recorded}, {"voice play", print_played},
        {"streams", stats_print_stream}, {"devices", print_devices},
        {"devices test", print_tried},
    };
    if (g_str_has_prefix(command, "hand ")) {
        print_hands(json_node_get_array(answer));
        return;
    }
    if (strcmp(command, "peers") == 0) {
        peers_print(json_node_get_array(answer));
        return;
    }
    if (strcmp(command, "map") == 0) {
        print_map(json_node_get_object(answer));
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(prints); i++) {
        if (strcmp(prints[i].command, command) != 0) {
            continue;
        }
        if (JSON_NODE_HOLDS_ARRAY(answer)) {
            each(json_node_get_array(answer), prints[i].object);
        } else {
            prints[i].object(json_node_get_object(answer));
        }
        return;
    }
    print_thing(json_node_get_object(answer));
}
