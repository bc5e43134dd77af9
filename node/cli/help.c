/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/help.h"

#include <stdio.h>
#include <string.h>

#include "node/cli/language.h"
#include "node/cli/print.h"

#define COLUMN 34

static gboolean listed(const Argument *argument, const Command *command) {
    return argument < command->arguments + COMMAND_ARGUMENTS_MAX && argument->place != ARGUMENT_END;
}

static gboolean positional(const Argument *argument) {
    return argument->place == ARGUMENT_REQUIRED || argument->place == ARGUMENT_OPTIONAL;
}

static void option_text(GString *text, const Argument *a) {
    if (a->letter != 0) {
        g_string_append_printf(text, "-%c", a->letter);
    } else {
        g_string_append_printf(text, "--%s", a->name);
    }
    if (a->kind != ARGUMENT_FLAG) {
        g_string_append_printf(text, " %s", a->values != NULL ? a->values : _(a->shows));
    }
}

static char *synopsis(const Command *command, gboolean options) {
    GString *text = g_string_new(command->words);
    for (const Argument *a = command->arguments; listed(a, command); a++) {
        if (positional(a)) {
            g_string_append_printf(text, a->place == ARGUMENT_REQUIRED ? " %s" : " [%s]",
                                   _(a->shows));
        } else if (a->place == ARGUMENT_NEEDED) {
            g_string_append_c(text, ' ');
            option_text(text, a);
        } else if (options) {
            g_string_append(text, " [");
            option_text(text, a);
            g_string_append_c(text, ']');
        }
    }
    return g_string_free(text, FALSE);
}

char *help_form(const Command *command) {
    return synopsis(command, FALSE);
}

static void row(const char *left, const char *right) {
    fputs("  ", stdout);
    print_column(left, COLUMN);
    printf(" %s\n", right);
}

static void common_options(void) {
    puts(_("Everywhere:"));
    g_autofree char *home = g_strdup_printf("--home %s", _("DIR"));
    row(home, _("the node's home (MAILLON_HOME says the same)"));
    row("--json", _("exactly one JSON document"));
    row("--help, --version", _("this text; the version"));
}

static void print_one(const Command *command) {
    g_autofree char *line = synopsis(command, TRUE);
    printf("maillon %s\n\n  %s\n\n", line, _(command->help));
    for (const Argument *a = command->arguments; listed(a, command); a++) {
        g_autoptr(GString) left = g_string_new(positional(a) ? _(a->shows) : NULL);
        if (!positional(a)) {
            g_string_append_printf(left, "--%s", a->name);
            if (a->letter != 0) {
                g_string_append_printf(left, ", -%c", a->letter);
            }
            if (a->kind != ARGUMENT_FLAG) {
                g_string_append_printf(left, " %s", _(a->shows));
            }
        }
        g_autofree char *help = a->values != NULL
                                    ? g_strdup_printf(_("%s: %s"), _(a->help), a->values)
                                    : g_strdup(_(a->help));
        row(left->str, help);
    }
    if (listed(command->arguments, command)) {
        puts("");
    }
    common_options();
}

static gboolean is_about(const Command *command, const char *topic) {
    size_t length = topic != NULL ? strlen(topic) : 0;
    return topic == NULL ||
           (strncmp(command->words, topic, length) == 0 && command->words[length] == ' ');
}

void help_print(const Command *command, const char *topic) {
    if (command != NULL) {
        print_one(command);
        return;
    }
    if (topic == NULL) {
        puts(_("Maillon holds a meeting between computers, without any server."));
        puts("");
    }
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if (is_about(command, topic)) {
            g_autofree char *line = synopsis(command, FALSE);
            row(line, _(command->help));
        }
    }
    puts("");
    common_options();
    puts("");
    puts(
        _("`maillon COMMAND --help` tells more. Exit status: 0 done, 1 refused, 2 not understood,\n"
          "3 no node is running."));
}

/* ---- completion ---- */

/* The first words of all commands, or the second ones after `first`, separated by spaces. */
static char *words_after(const char *first) {
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    const Command *command;
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        g_auto(GStrv) parts = g_strsplit(command->words, " ", 2);
        const char *word = first == NULL                  ? parts[0]
                           : strcmp(parts[0], first) == 0 ? parts[1]
                                                          : NULL;
        if (word != NULL && !g_ptr_array_find_with_equal_func(found, word, g_str_equal, NULL)) {
            g_ptr_array_add(found, g_strdup(word));
        }
    }
    g_ptr_array_add(found, NULL);
    return g_strjoinv(" ", (char **)found->pdata);
}

static char *options_of(const Command *command) {
    GString *text = g_string_new(NULL);
    for (const Argument *a = command->arguments; listed(a, command); a++) {
        if (!positional(a)) {
            g_string_append_printf(text, "--%s ", a->name);
        }
    }
    return g_string_free(text, FALSE);
}

static gboolean takes_file(const Command *command) {
    for (const Argument *a = command->arguments; listed(a, command); a++) {
        if (a->kind == ARGUMENT_FILE || a->kind == ARGUMENT_SOURCE) {
            return TRUE;
        }
    }
    return FALSE;
}

/* What may follow a whole command: its second words, values, and options. */
static char *following(const Command *command) {
    GString *text = g_string_new(NULL);
    g_autofree char *second = words_after(command->words);
    g_string_append_printf(text, "%s%s", second, *second != '\0' ? " " : "");
    for (const Argument *a = command->arguments; listed(a, command); a++) {
        if (positional(a) && a->values != NULL) {
            g_autofree char *values = g_strdelimit(g_strdup(a->values), "|", ' ');
            g_string_append_printf(text, "%s ", values);
        }
    }
    g_autofree char *options = options_of(command);
    g_string_append_printf(text, "%s--json --home --help", options);
    return g_string_free(text, FALSE);
}

/* A `case` line for each command, the longer words first, so that the first match is the best. */
static void bash_commands(gboolean two_words) {
    const Command *command;
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if ((strchr(command->words, ' ') != NULL) == two_words) {
            g_autofree char *after = following(command);
            printf("        '%s'*) options='%s'%s ;;\n", command->words, after,
                   takes_file(command) ? " files=1" : "");
        }
    }
}

static void bash(void) {
    g_autofree char *first = words_after(NULL);
    g_auto(GStrv) words = g_strsplit(first, " ", -1);
    puts("# bash completion for maillon\n_maillon() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} line='' options='' files='' i\n"
         "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "        case ${COMP_WORDS[i]} in\n"
         "            --home) i=$((i + 1)) ;;\n"
         "            -*) ;;\n"
         "            *) line+=\"${line:+ }${COMP_WORDS[i]}\" ;;\n"
         "        esac\n"
         "    done\n"
         "    case $line in");
    printf("        '') options='%s' ;;\n", first);
    for (char **word = words; *word != NULL; word++) {
        g_autofree char *second = words_after(*word);
        if (*second != '\0' && command_find(*word) == NULL) {
            printf("        '%s') options='%s' ;;\n", *word, second);
        }
    }
    bash_commands(TRUE);
    bash_commands(FALSE);
    /* No mapfile, which zsh lacks; file names are the only words that may hold blanks. */
    puts("    esac\n"
         "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "    if [ -n \"$files\" ]; then\n"
         "        local IFS=$'\\n'\n"
         "        COMPREPLY+=($(compgen -f -- \"$word\"))\n"
         "    fi\n"
         "}\n"
         "complete -o filenames -F _maillon maillon");
}

static void fish(void) {
    g_autofree char *first = words_after(NULL);
    g_auto(GStrv) words = g_strsplit(first, " ", -1);
    puts("# fish completion for maillon\ncomplete -c maillon -f");
    printf("complete -c maillon -n __fish_use_subcommand -a '%s'\n", first);
    for (char **word = words; *word != NULL; word++) {
        g_autofree char *second = words_after(*word);
        if (*second != '\0') {
            printf("complete -c maillon -n '__fish_seen_subcommand_from %s; and not "
                   "__fish_seen_subcommand_from %s' -a '%s'\n",
                   *word, second, second);
        }
    }
    const Command *command;
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        g_auto(GStrv) parts = g_strsplit(command->words, " ", 2);
        const char *last = parts[g_strv_length(parts) - 1];
        if (takes_file(command)) {
            printf("complete -c maillon -F -n '__fish_seen_subcommand_from %s'\n", last);
        }
        for (const Argument *a = command->arguments; listed(a, command); a++) {
            if (!positional(a)) {
                printf("complete -c maillon -n '__fish_seen_subcommand_from %s' -l %s\n", last,
                       a->name);
            }
        }
    }
}

void help_completion(const char *shell) {
    if (strcmp(shell, "fish") == 0) {
        fish();
        return;
    }
    gboolean zsh = strcmp(shell, "zsh") == 0;
    if (zsh) {
        puts("#compdef maillon\nautoload -U +X bashcompinit && bashcompinit");
    }
    bash();
    if (zsh) {
        /* Loaded by the first completion itself, which is still to be answered. */
        puts("[ \"${funcstack[1]}\" != _maillon ] || _bash_complete -o filenames -F _maillon");
    }
}
