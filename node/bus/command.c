/* SPDX-License-Identifier: MPL-2.0 */
#include "node/bus/command.h"

#include <stdarg.h>
#include <string.h>

#include "mesh/limits.h"
#include "node/cli/language.h"
#include "node/host/handlers.h"

#define SECONDS_LAST 315360000 /* ten years */
#define BYTES_LAST   G_GINT64_CONSTANT(1000000000000)

G_DEFINE_QUARK(maillon - command - error, command_error)

#define TEXT(name, shows, help)                                                                    \
    { ARGUMENT_REQUIRED, ARGUMENT_TEXT, name, shows, NULL, help, 0, 0 }
/* What goes into the meeting, in at most so many bytes. */
#define SAID(kind, name, shows, help, bytes)                                                       \
    { ARGUMENT_REQUIRED, kind, name, shows, NULL, help, 0, bytes }
#define ID TEXT("id", N_("ID"), N_("its id, or the beginning of it"))
#define SOURCE                                                                                     \
    {                                                                                              \
        ARGUMENT_OPTION, ARGUMENT_SOURCE, "source", N_("SOURCE"), NULL,                            \
            N_("auto, test, a file (played once), or a GStreamer description"), 0, 0               \
    }
#define FOR_SECONDS                                                                                \
    {                                                                                              \
        ARGUMENT_OPTION, ARGUMENT_SECONDS, "seconds", N_("TIME"), NULL,                            \
            N_("how long; else until Enter, Ctrl-C, `voice stop` or the source's end"), 0, 0       \
    }

static const Command commands[] = {
    {"start",
     NULL,
     N_("run the node, until Ctrl-C"),
     {{ARGUMENT_LOCAL, ARGUMENT_TEXT, "name", N_("NAME"), NULL, N_("the name others see"), 0, 0},
      {ARGUMENT_LOCAL, ARGUMENT_FLAG, "no-page", NULL, NULL, N_("no page for a browser"), 0, 0},
      {ARGUMENT_LOCAL, ARGUMENT_FLAG, "no-media", NULL, NULL, N_("neither sound nor picture"), 0,
       0},
      {ARGUMENT_LOCAL, ARGUMENT_TEXT, "sink", N_("SINK"), NULL,
       N_("where sound goes: auto, fake, or FILE.wav"), 0, 0},
      {ARGUMENT_LOCAL, ARGUMENT_WORD, "video-sink", N_("SINK"), "auto|fake|none",
       N_("where pictures go: auto, onto a display if there is one"), 0, 0},
      {ARGUMENT_LOCAL, ARGUMENT_COUNT, "port", N_("PORT"), NULL,
       N_("UDP port of the node (remembered; otherwise chosen once)"), 0, 0},
      {ARGUMENT_LOCAL, ARGUMENT_TEXT, "stun", N_("ADDRESS:PORT"), NULL,
       N_("a STUN server, when no member in reach can be one"), 0, 0},
      {ARGUMENT_LOCAL, ARGUMENT_SIZE, "fetch-max", N_("SIZE"), NULL,
       N_("documents up to this size are fetched unasked, 100M unless told"), 0, 0},
      {ARGUMENT_LOCAL, ARGUMENT_TEXT, "relay", N_("TICKET"), NULL,
       N_("carry for a meeting without reading it: no sound, no page, a home of its own"), 0, 0},
      {ARGUMENT_LOCAL, ARGUMENT_SIZE, "store-max", N_("SIZE"), NULL,
       N_("what a relay keeps for members who are away (remembered; 256M unless told)"), 0, 0},
      {ARGUMENT_LOCAL, ARGUMENT_FILE, "passphrase-file", N_("FILE"), NULL,
       N_("its first line locks the home, and opens it"), 0, 0}}},
    {"status", host_handle_status, N_("this node, its meetings, its peers"), {{0}}},
    {"page", host_handle_page, N_("print an address of the page, good for one browser"), {{0}}},
    {"name",
     host_handle_name,
     N_("change the name others see in meetings created or joined from now on"),
     {SAID(ARGUMENT_LINE, "name", N_("NAME"), N_("the name others see"), MESH_NAME_MAX)}},
    {"peers",
     host_handle_peers,
     N_("the links to the other members"),
     {{ARGUMENT_LOCAL, ARGUMENT_FLAG, "watch", NULL, NULL,
       N_("go on, with what changed and why, until Ctrl-C"), 0, 0}}},
    {"map",
     host_handle_map,
     N_("who is linked with whom, and how each member is reached"),
     {{ARGUMENT_LOCAL, ARGUMENT_FLAG, "dot", NULL, NULL,
       N_("as a drawing for Graphviz, in its language DOT"), 0, 0}}},
    {"meeting create",
     host_handle_meeting_create,
     N_("begin a meeting"),
     {SAID(ARGUMENT_LINE, "title", N_("TITLE"), N_("its title"), MESH_TITLE_MAX),
      {ARGUMENT_OPTION, ARGUMENT_WORD, "profile", N_("PROFILE"), "meeting|council|webinar",
       N_("its rules"), 0, 0}}},
    {"meeting list", host_handle_meeting_list, N_("the meetings of this node"), {{0}}},
    {"meeting use", host_handle_meeting_use, N_("choose the current meeting"), {ID}},
    {"meeting leave",
     host_handle_meeting_leave,
     N_("take part in it no more on this device; `meeting use` comes back"),
     {{ARGUMENT_OPTIONAL, ARGUMENT_TEXT, "id", N_("ID"), NULL, N_("the current one unless told"), 0,
       0},
      {ARGUMENT_OPTION, ARGUMENT_FLAG, "forget", NULL, NULL,
       N_("and delete all that is recorded of it here"), 0, 0}}},
    {"invite",
     host_handle_invite,
     N_("print a ticket for others to join with"),
     {{ARGUMENT_OPTION, ARGUMENT_WORD, "role", N_("ROLE"), "member|guest|observer|relay",
       N_("what its bearer may do"), 0, 0},
      {ARGUMENT_OPTION, ARGUMENT_COUNT, "uses", N_("N"), NULL, N_("how many may use it"), 0, 0},
      {ARGUMENT_OPTION, ARGUMENT_SECONDS, "valid", N_("TIME"), NULL, N_("how long: 30m, 24h, 7d"),
       0, 0},
      {ARGUMENT_LOCAL, ARGUMENT_FLAG, "qr", NULL, NULL, N_("as a QR code too"), 0, 0}}},
    {"invite revoke", host_handle_invite_revoke, N_("revoke every ticket given so far"), {{0}}},
    {"join",
     host_handle_join,
     N_("join a meeting by its ticket"),
     {TEXT("ticket", N_("TICKET"), N_("what `invite` printed")),
      {ARGUMENT_OPTION, ARGUMENT_FLAG, "by-hand", NULL, NULL,
       N_("print a code to carry to a member, who answers with another"), 0, 0},
      {ARGUMENT_OPTION, ARGUMENT_SECONDS, "wait", N_("TIME"), NULL,
       N_("how long to try, 30 s unless told"), 0, 0}}},
    {"answer",
     host_handle_answer,
     N_("answer the code of someone who joins by hand"),
     {TEXT("code", N_("CODE"), N_("what their `join --by-hand` printed"))}},
    {"accept",
     host_handle_accept,
     N_("end a joining by hand with the code of the answer"),
     {TEXT("code", N_("CODE"), N_("what `answer` printed")),
      {ARGUMENT_OPTION, ARGUMENT_SECONDS, "wait", N_("TIME"), NULL,
       N_("how long to try, 30 s unless told"), 0, 0}}},
    {"say",
     host_handle_say,
     N_("send a message to the meeting"),
     {SAID(ARGUMENT_SAID, "text", N_("TEXT"), N_("what to say"), MESH_TEXT_MAX)}},
    {"messages",
     host_handle_messages,
     N_("the messages of the meeting"),
     {{ARGUMENT_LOCAL, ARGUMENT_FLAG, "follow", NULL, NULL, N_("go on as they come"), 0, 0}}},
    {"doc add",
     host_handle_doc_add,
     N_("share a document"),
     {{ARGUMENT_REQUIRED, ARGUMENT_FILE, "file", N_("FILE"), NULL, N_("at most 100 MB"), 0, 0}}},
    {"doc list", host_handle_doc_list, N_("the documents of the meeting"), {{0}}},
    {"doc get",
     host_handle_doc_get,
     N_("write a document into a file"),
     {ID,
      {ARGUMENT_NEEDED, ARGUMENT_FILE, "output", N_("FILE"), NULL, N_("where to write it"), 'o', 0},
      {ARGUMENT_OPTION, ARGUMENT_SECONDS, "wait", N_("TIME"), NULL,
       N_("how long to wait for what is missing"), 0, 0}}},
    {"mic on", host_handle_mic_on, N_("speak"), {SOURCE}},
    {"mic off", host_handle_mic_off, N_("stop speaking"), {{0}}},
    {"cam on", host_handle_cam_on, N_("show yourself"), {SOURCE}},
    {"cam off", host_handle_cam_off, N_("stop the camera"), {{0}}},
    {"screen on", host_handle_screen_on, N_("show the screen"), {SOURCE}},
    {"screen off", host_handle_screen_off, N_("stop showing the screen"), {{0}}},
    {"devices",
     host_handle_devices,
     N_("the microphones, cameras and loudspeakers there are"),
     {{0}}},
    {"devices use",
     host_handle_devices_use,
     N_("choose what `auto` means from now on"),
     {{ARGUMENT_OPTION, ARGUMENT_SOURCE, "mic", N_("SOURCE"), NULL, N_("microphone"), 0, 0},
      {ARGUMENT_OPTION, ARGUMENT_SOURCE, "cam", N_("SOURCE"), NULL, N_("camera"), 0, 0},
      {ARGUMENT_OPTION, ARGUMENT_SOURCE, "speaker", N_("SINK"), NULL,
       N_("loudspeaker: auto, or a GStreamer description"), 0, 0}}},
    {"devices test",
     host_handle_devices_test,
     N_("try a device; nobody else hears or sees it"),
     {{ARGUMENT_REQUIRED, ARGUMENT_WORD, "what", N_("WHAT"), "mic|cam|speaker", N_("which"), 0, 0},
      SOURCE,
      {ARGUMENT_OPTION, ARGUMENT_FLAG, "hear", NULL, NULL, N_("hear yourself"), 0, 0},
      {ARGUMENT_OPTION, ARGUMENT_SECONDS, "seconds", N_("TIME"), NULL,
       N_("how long, 10 s unless told"), 0, 0}}},
    {"devices stop",
     host_handle_devices_stop,
     N_("end what is tried"),
     {{ARGUMENT_OPTIONAL, ARGUMENT_WORD, "what", N_("WHAT"), "mic|cam|speaker",
       N_("which of them; all unless told"), 0, 0}}},
    {"streams", host_handle_streams, N_("who is heard and seen now, and who speaks"), {{0}}},
    {"record",
     host_handle_record,
     N_("write what is heard here into a WAV file, until `record stop`"),
     {{ARGUMENT_REQUIRED, ARGUMENT_FILE, "file", N_("FILE"), NULL,
       N_("where to write it; your own voice is not in it"), 0, 0}}},
    {"record stop", host_handle_record_stop, N_("end the recording"), {{0}}},
    {"bandwidth",
     host_handle_bandwidth,
     N_("what this node may use of the line; without words, what is set"),
     {{ARGUMENT_OPTIONAL, ARGUMENT_WORD, "level", N_("LEVEL"), "all|slides|voice",
       N_("pictures as the line allows, only as stills, or none"), 0, 0},
      {ARGUMENT_OPTION, ARGUMENT_LIMIT, "max", N_("KBIT"), NULL,
       N_("all that is sent, in kbit/s at most; none: as much as fits"), 0, 0}}},
    {"talk",
     host_handle_talk,
     N_("push-to-talk: speak while it runs, or record a message where live voice does not fit"),
     {SOURCE, FOR_SECONDS}},
    {"voice send",
     host_handle_voice_send,
     N_("record a voice message, which arrives on any line"),
     {SOURCE, FOR_SECONDS}},
    {"voice play", host_handle_voice_play, N_("play a voice message"), {ID}},
    {"voice stop",
     host_handle_voice_stop,
     N_("end what is recorded, played or said"),
     {{ARGUMENT_OPTIONAL, ARGUMENT_WORD, "what", N_("WHAT"), "talk|send|play",
       N_("which of them; all unless told"), 0, 0}}},
    {"motion open",
     host_handle_motion_open,
     N_("put a question to the vote"),
     {SAID(ARGUMENT_SAID, "text", N_("TEXT"), N_("the question"), MESH_TEXT_MAX),
      {ARGUMENT_OPTION, ARGUMENT_LINE, "choices", N_("A,B,C"), NULL,
       N_("the choices, pour,contre,abstention unless told"), 0, 0}}},
    {"motion list", host_handle_motion_list, N_("the motions of the meeting"), {{0}}},
    {"motion show", host_handle_motion_show, N_("one motion and its votes"), {ID}},
    {"motion close", host_handle_motion_close, N_("close the vote"), {ID}},
    {"vote",
     host_handle_vote,
     N_("vote on a motion"),
     {ID, TEXT("choice", N_("CHOICE"), N_("one of its choices"))}},
    {"hand up", host_handle_hand_up, N_("ask to speak"), {{0}}},
    {"hand down",
     host_handle_hand_down,
     N_("ask no more; the chair lowers another's hand"),
     {{ARGUMENT_OPTIONAL, ARGUMENT_TEXT, "member", N_("MEMBER"), NULL,
       N_("whose: id, its beginning, or the name; one's own unless told"), 0, 0}}},
    {"hand list", host_handle_hand_list, N_("who asks to speak, in which order"), {{0}}},
    {"roster list", host_handle_roster_list, N_("the members of the meeting"), {{0}}},
    {"roster expel",
     host_handle_roster_expel,
     N_("expel a member and revoke every ticket"),
     {TEXT("id", N_("MEMBER"), N_("id, its beginning, or the name"))}},
    {"bundle export",
     host_handle_bundle_export,
     N_("write the journal into a file, to be carried to members who cannot be reached"),
     {{ARGUMENT_REQUIRED, ARGUMENT_FILE, "file", N_("FILE"), NULL, N_("where to write it"), 0, 0}}},
    {"bundle import",
     host_handle_bundle_import,
     N_("take in the journal another member exported"),
     {{ARGUMENT_REQUIRED, ARGUMENT_FILE, "file", N_("FILE"), NULL, N_("what `bundle export` wrote"),
       0, 0}}},
    {"stats", host_handle_stats, N_("every counter"), {{0}}},
    {"completion",
     NULL,
     N_("print the completion script of a shell"),
     {{ARGUMENT_REQUIRED, ARGUMENT_WORD, "shell", N_("SHELL"), "bash|zsh|fish", N_("the shell"), 0,
       0}}},
};

const Command *command_at(size_t index) {
    return index < G_N_ELEMENTS(commands) ? &commands[index] : NULL;
}

const Command *command_find(const char *words) {
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].words, words) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

gboolean command_begins(const char *word) {
    size_t length = strlen(word);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strncmp(commands[i].words, word, length) == 0 && commands[i].words[length] == ' ') {
            return TRUE;
        }
    }
    return FALSE;
}

gboolean command_seconds(const char *text, gint64 *ret_seconds) {
    static const struct {
        const char *unit;
        gint64 seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"j", 86400}};
    char *end = NULL;
    guint64 number = g_ascii_isdigit(text[0]) ? g_ascii_strtoull(text, &end, 10) : 0;
    if (number == 0 || number > SECONDS_LAST) {
        return FALSE;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        gint64 seconds = (gint64)number * units[i].seconds;
        if (strcmp(end, units[i].unit) == 0 && seconds <= SECONDS_LAST) {
            *ret_seconds = seconds;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean command_size(const char *text, gint64 *ret_bytes) {
    static const struct {
        const char *unit;
        gint64 bytes;
    } units[] = {{"", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}};
    char *end = NULL;
    guint64 number = g_ascii_isdigit(text[0]) ? g_ascii_strtoull(text, &end, 10) : G_MAXUINT64;
    if (number > (guint64)BYTES_LAST) {
        return FALSE;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (g_ascii_strcasecmp(end, units[i].unit) == 0 &&
            (gint64)number <= BYTES_LAST / units[i].bytes) {
            *ret_bytes = (gint64)number * units[i].bytes;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean word_allowed(const char *values, const char *word) {
    g_auto(GStrv) allowed = g_strsplit(values, "|", -1);
    return g_strv_contains((const gchar *const *)allowed, word);
}

static gboolean wrong(GError **error, CommandError code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
static gboolean wrong(GError **error, CommandError code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, COMMAND_ERROR, code, text);
    return FALSE;
}

/* Control characters would act on the others' terminals; the core takes none. */
static gboolean is_plain(const char *text, gboolean lines) {
    for (; *text != '\0'; text = g_utf8_next_char(text)) {
        if (g_unichar_iscntrl(g_utf8_get_char(text)) &&
            !(lines && (*text == '\n' || *text == '\t'))) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean text_check(const Command *command, const Argument *argument, const char *text,
                           GError **error) {
    const char *shown = _(argument->shows);
    gboolean line = argument->kind == ARGUMENT_LINE;
    if (text[0] == '\0') {
        return wrong(error, COMMAND_ERROR_USAGE, _("%s: %s is empty"), command->words, shown);
    }
    if (argument->bytes > 0 && strlen(text) > argument->bytes) {
        return wrong(error, COMMAND_ERROR_LONG, _("%s: %s has %zu bytes, the limit is %u"),
                     command->words, shown, strlen(text), argument->bytes);
    }
    if ((line || argument->kind == ARGUMENT_SAID) && !is_plain(text, !line)) {
        return wrong(error, COMMAND_ERROR_SIGNS,
                     line ? _("%s: %s is to be plain text on one line")
                          : _("%s: %s holds control characters"),
                     command->words, shown);
    }
    return TRUE;
}

static gboolean number_fits(const Argument *argument, gint64 number) {
    switch (argument->kind) {
    case ARGUMENT_COUNT:
        return number >= 1 && number <= G_MAXINT32;
    case ARGUMENT_LIMIT:
        return number >= 0 && number <= G_MAXINT32;
    case ARGUMENT_SECONDS:
        return number >= 1 && number <= SECONDS_LAST;
    default:
        return number >= 0 && number <= BYTES_LAST;
    }
}

static gboolean argument_check(const Command *command, const Argument *argument, JsonNode *node,
                               GError **error) {
    GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;
    gboolean fits = FALSE;
    switch (argument->kind) {
    case ARGUMENT_TEXT:
    case ARGUMENT_SAID:
    case ARGUMENT_LINE:
    case ARGUMENT_FILE:
    case ARGUMENT_SOURCE:
        if (type == G_TYPE_STRING && g_utf8_validate(json_node_get_string(node), -1, NULL)) {
            return text_check(command, argument, json_node_get_string(node), error);
        }
        break;
    case ARGUMENT_WORD:
        if (type != G_TYPE_STRING || !word_allowed(argument->values, json_node_get_string(node))) {
            return wrong(error, COMMAND_ERROR_USAGE, _("%s: %s is one of %s"), command->words,
                         _(argument->shows), argument->values);
        }
        return TRUE;
    case ARGUMENT_COUNT:
    case ARGUMENT_LIMIT:
    case ARGUMENT_SECONDS:
    case ARGUMENT_SIZE:
        fits = type == G_TYPE_INT64 && number_fits(argument, json_node_get_int(node));
        break;
    case ARGUMENT_FLAG:
        fits = type == G_TYPE_BOOLEAN;
        break;
    }
    return fits ||
           wrong(error, COMMAND_ERROR_USAGE,
                 argument->kind == ARGUMENT_LIMIT ? _("%s: %s is a number of kbit/s, or 0 for none")
                                                  : _("%s: %s is not right"),
                 command->words, argument->shows != NULL ? _(argument->shows) : argument->name);
}

gboolean command_check(const Command *command, JsonObject *arguments, GError **error) {
    guint known = 0;
    for (const Argument *a = command->arguments;
         a < command->arguments + COMMAND_ARGUMENTS_MAX && a->place != ARGUMENT_END; a++) {
        JsonNode *node = json_object_get_member(arguments, a->name);
        if (a->place == ARGUMENT_LOCAL) {
            continue; /* none of the node's business: unknown here */
        }
        if (node == NULL && (a->place == ARGUMENT_REQUIRED || a->place == ARGUMENT_NEEDED)) {
            return wrong(error, COMMAND_ERROR_USAGE, _("%s: %s is missing"), command->words,
                         _(a->shows));
        }
        if (node != NULL && !argument_check(command, a, node, error)) {
            return FALSE;
        }
        known += node != NULL;
    }
    return known == json_object_get_size(arguments) ||
           wrong(error, COMMAND_ERROR_USAGE, _("%s: unknown argument"), command->words);
}
