/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/words.h"

#include <stdarg.h>
#include <string.h>

#include "node/bus/json.h"
#include "node/cli/help.h"
#include "node/cli/language.h"

typedef struct {
    Words *words;
    GPtrArray *plain;   /* words that are no options, borrowed */
    GPtrArray *options; /* pairs: -x or --name, value or NULL, borrowed */
    GError **error;
} Reading;

static gboolean usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean usage(GError **error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, COMMAND_ERROR, COMMAND_ERROR_USAGE, text);
    return FALSE;
}

static const Argument *option_of(const Command *command, const char *name, char letter) {
    for (const Argument *a = command->arguments;
         a < command->arguments + COMMAND_ARGUMENTS_MAX && a->place != ARGUMENT_END; a++) {
        gboolean option = a->place == ARGUMENT_OPTION || a->place == ARGUMENT_NEEDED ||
                          a->place == ARGUMENT_LOCAL;
        if (option && ((name != NULL && strcmp(a->name, name) == 0) ||
                       (letter != 0 && a->letter == letter))) {
            return a;
        }
    }
    return NULL;
}

/* Before the command is known: could this option of some command take a value? */
static gboolean takes_value(const char *name, char letter) {
    const Command *command;
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        const Argument *argument = option_of(command, name, letter);
        if (argument != NULL) {
            return argument->kind != ARGUMENT_FLAG;
        }
    }
    return FALSE;
}

/* The command is the longest run of plain words that is in the table. */
static const Command *find_command(GPtrArray *plain, guint *ret_used) {
    g_autoptr(GString) words = g_string_new(NULL);
    const Command *found = NULL;
    for (guint i = 0; i < plain->len && i < 2; i++) {
        g_string_append_printf(words, "%s%s", i > 0 ? " " : "",
                               (const char *)g_ptr_array_index(plain, i));
        const Command *command = command_find(words->str);
        if (command != NULL) {
            found = command;
            *ret_used = i + 1;
        }
    }
    return found;
}

/* As the person typed it, or sees it in the help. The caller frees. */
static char *shown_of(const Argument *argument) {
    gboolean plain = argument->place == ARGUMENT_REQUIRED || argument->place == ARGUMENT_OPTIONAL;
    return plain ? g_strdup(_(argument->shows)) : g_strdup_printf("--%s", argument->name);
}

static void set_file(JsonObject *object, const char *name, const char *text) {
    g_autofree char *absolute = g_canonicalize_filename(text, NULL);
    json_object_set_string_member(object, name, absolute);
}

static gboolean set_value(Reading *reading, const Argument *argument, const char *text) {
    Words *words = reading->words;
    JsonObject *object = argument->place == ARGUMENT_LOCAL ? words->local : words->arguments;
    gint64 number = 0;
    char *end = NULL;
    g_autofree char *shown = shown_of(argument);
    if (json_object_has_member(object, argument->name)) {
        return usage(reading->error, _("%s is given twice"), shown);
    }
    if (text != NULL && !g_utf8_validate(text, -1, NULL)) {
        return usage(reading->error, _("%s is not valid UTF-8 text"), shown);
    }
    switch (argument->kind) {
    case ARGUMENT_FLAG:
        json_object_set_boolean_member(object, argument->name, TRUE);
        return TRUE;
    case ARGUMENT_FILE:
        set_file(object, argument->name, text);
        return TRUE;
    case ARGUMENT_SOURCE:
        if (g_file_test(text, G_FILE_TEST_EXISTS)) {
            set_file(object, argument->name, text);
        } else {
            json_object_set_string_member(object, argument->name, text);
        }
        return TRUE;
    case ARGUMENT_SECONDS:
        if (!command_seconds(text, &number)) {
            return usage(reading->error, _("%s is no duration: say 90s, 15m, 24h or 7d"), text);
        }
        json_object_set_int_member(object, argument->name, number);
        return TRUE;
    case ARGUMENT_SIZE:
        if (!command_size(text, &number)) {
            return usage(reading->error, _("%s is no size: say 0, 500k, 20M or 1G"), text);
        }
        json_object_set_int_member(object, argument->name, number);
        return TRUE;
    case ARGUMENT_LIMIT:
        if (strcmp(text, "none") == 0) {
            json_object_set_int_member(object, argument->name, 0);
            return TRUE;
        }
        number = g_ascii_strtoll(text, &end, 10);
        if (end == text || *end != '\0' || number < 1 || number > G_MAXINT32) {
            return usage(reading->error, _("%s is no number from 1 to %d, nor `none`"), text,
                         G_MAXINT32);
        }
        json_object_set_int_member(object, argument->name, number);
        return TRUE;
    case ARGUMENT_COUNT:
        number = g_ascii_strtoll(text, &end, 10);
        if (end == text || *end != '\0' || number < 1 || number > G_MAXINT32) {
            return usage(reading->error, _("%s is no number from 1 to %d"), text, G_MAXINT32);
        }
        json_object_set_int_member(object, argument->name, number);
        return TRUE;
    case ARGUMENT_TEXT:
    case ARGUMENT_SAID:
    case ARGUMENT_LINE:
    case ARGUMENT_WORD:
    default:
        json_object_set_string_member(object, argument->name, text);
        return TRUE;
    }
}

static gboolean read_options(Reading *reading) {
    const Command *command = reading->words->command;
    for (guint i = 0; i + 1 < reading->options->len; i += 2) {
        const char *name = g_ptr_array_index(reading->options, i);
        const char *value = g_ptr_array_index(reading->options, i + 1);
        gboolean letter = name[1] != '-';
        const Argument *argument =
            option_of(command, letter ? NULL : name + 2, letter ? name[1] : 0);
        if (argument == NULL) {
            return usage(reading->error,
                         _("`%s` has no option %s (put -- before text that begins with a dash)"),
                         command->words, name);
        }
        if ((argument->kind == ARGUMENT_FLAG) != (value == NULL)) {
            return usage(reading->error,
                         value == NULL ? _("%s wants a value") : _("%s takes no value"), name);
        }
        if (!set_value(reading, argument, value)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean read_plain(Reading *reading, guint used) {
    const Command *command = reading->words->command;
    guint at = used;
    for (const Argument *a = command->arguments;
         a < command->arguments + COMMAND_ARGUMENTS_MAX && a->place != ARGUMENT_END; a++) {
        if (a->place != ARGUMENT_REQUIRED && a->place != ARGUMENT_OPTIONAL) {
            continue;
        }
        if (at < reading->plain->len) {
            if (!set_value(reading, a, g_ptr_array_index(reading->plain, at++))) {
                return FALSE;
            }
        }
    }
    if (at < reading->plain->len) {
        return usage(reading->error,
                     _("`%s`: too many words, beginning at “%s” (put text in quotes)"),
                     command->words, (const char *)g_ptr_array_index(reading->plain, at));
    }
    return command->handler == NULL ||
           command_check(command, reading->words->arguments, reading->error);
}

/* `--json`, `--help` and `--version`, which stand by themselves, anywhere. */
static gboolean collect_wish(Words *words, const char *name) {
    if (strcmp(name, "--json") == 0) {
        words->json = TRUE;
    } else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        words->wish = WORDS_HELP;
    } else if (strcmp(name, "--version") == 0) {
        words->wish = WORDS_VERSION;
    } else {
        return FALSE;
    }
    return TRUE;
}

/* Cuts `--name=value` in two, and `-xvalue` when -x may have one; the value, or NULL. */
static char *cut_value(char *word, const char **ret_name) {
    *ret_name = word;
    if (word[1] == '-') {
        char *value = strchr(word, '=');
        if (value != NULL) {
            *value++ = '\0';
        }
        return value;
    }
    if (word[2] == '\0' || !takes_value(NULL, word[1])) {
        return NULL;
    }
    *ret_name = g_intern_string((const char[]){'-', word[1], '\0'});
    return word + 2;
}

/* One option word; `*ret_next` becomes true when the next word is its value. */
static gboolean collect_option(Reading *reading, char *word, char *next, gboolean *ret_next) {
    const char *name = NULL;
    char *value = cut_value(word, &name);
    gboolean letter = name[1] != '-';
    gboolean home = strcmp(name, "--home") == 0;
    *ret_next = FALSE;
    if (letter && name[2] != '\0') {
        return usage(reading->error, _("unknown option %s"), name);
    }
    if (collect_wish(reading->words, name)) {
        return value == NULL || usage(reading->error, _("%s takes no value"), name);
    }
    if (value == NULL && (home || takes_value(letter ? NULL : name + 2, letter ? name[1] : 0))) {
        if (next == NULL) {
            return usage(reading->error, _("%s wants a value"), name);
        }
        value = next;
        *ret_next = TRUE;
    }
    if (home) {
        g_free(reading->words->home);
        reading->words->home = g_strdup(value);
        return TRUE;
    }
    g_ptr_array_add(reading->options, (char *)name);
    g_ptr_array_add(reading->options, value);
    return TRUE;
}

/* “- one thing” is something to say, not an option. */
static gboolean looks_like_option(const char *word) {
    size_t name = strcspn(word, "= ");
    return word[0] == '-' && word[1] != '\0' && word[name] != ' ';
}

static gboolean collect(Reading *reading, int count, char **argv) {
    gboolean only_plain = FALSE;
    for (int i = 0; i < count; i++) {
        char *word = argv[i];
        gboolean next = FALSE;
        if (!only_plain && strcmp(word, "--") == 0) {
            only_plain = TRUE;
        } else if (!only_plain && looks_like_option(word)) {
            if (!collect_option(reading, word, i + 1 < count ? argv[i + 1] : NULL, &next)) {
                return FALSE;
            }
            i += next;
        } else {
            g_ptr_array_add(reading->plain, word);
        }
    }
    return TRUE;
}

/* Help is for a whole command, for all that begin with a word, or for everything. */
static gboolean understand_help(Reading *reading) {
    GPtrArray *plain = reading->plain;
    if (reading->words->command != NULL || plain->len == 0) {
        return TRUE;
    }
    reading->words->topic = g_ptr_array_index(plain, 0);
    return command_begins(reading->words->topic) ||
           usage(reading->error, _("unknown command `%s`: `maillon --help` lists them"),
                 reading->words->topic);
}

/* Who was not understood is shown how the command is written. */
static void show_form(const Command *command, GError **error) {
    if (error != NULL && g_error_matches(*error, COMMAND_ERROR, COMMAND_ERROR_USAGE)) {
        g_autofree char *form = help_form(command);
        g_autofree char *before = (*error)->message;
        (*error)->message = g_strdup_printf("%s\n    maillon %s", before, form);
    }
}

static gboolean understand(Reading *reading) {
    Words *words = reading->words;
    guint used = 0;
    GPtrArray *plain = reading->plain;
    if (plain->len > 0 && strcmp(g_ptr_array_index(plain, 0), "help") == 0) {
        words->wish = WORDS_HELP;
        g_ptr_array_remove_index(plain, 0);
    }
    words->command = find_command(plain, &used);
    if (words->wish != WORDS_COMMAND) {
        return words->wish == WORDS_VERSION || understand_help(reading);
    }
    if (plain->len == 0) {
        return usage(reading->error, _("which command? `maillon --help` lists them"));
    }
    if (words->command == NULL) {
        const char *first = g_ptr_array_index(plain, 0);
        return command_begins(first)
                   ? usage(reading->error, _("`%s` wants one more word: see `maillon %s --help`"),
                           first, first)
                   : usage(reading->error, _("unknown command `%s`: `maillon --help` lists them"),
                           first);
    }
    if (!read_options(reading) || !read_plain(reading, used)) {
        show_form(words->command, reading->error);
        return FALSE;
    }
    if (words->json && json_flag(words->local, "dot")) {
        return usage(reading->error, _("--dot or --json, not both"));
    }
    return TRUE;
}

Words *words_read(int count, char **argv, GError **error) {
    g_autoptr(Words) words = g_new0(Words, 1);
    words->arguments = json_object_new();
    words->local = json_object_new();
    g_autoptr(GPtrArray) plain = g_ptr_array_new();
    g_autoptr(GPtrArray) options = g_ptr_array_new();
    Reading reading = {words, plain, options, error};
    if (!collect(&reading, count, argv) || !understand(&reading)) {
        return NULL;
    }
    return g_steal_pointer(&words);
}

void words_free(Words *words) {
    if (words == NULL) {
        return;
    }
    json_object_unref(words->arguments);
    json_object_unref(words->local);
    g_free(words->home);
    g_free(words);
}
