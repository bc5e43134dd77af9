/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/bus/client.h"
#include "node/bus/json.h"
#include "node/cli/chart.h"
#include "node/cli/follow.h"
#include "node/cli/help.h"
#include "node/cli/hold.h"
#include "node/cli/language.h"
#include "node/cli/print.h"

#define PROGRESS_SIZE 24
#define PATIENCE_S    2 /* before a person is told that there is nothing new */

static char *home_of(const Words *words) {
    const char *home = words->home != NULL ? words->home : g_getenv("MAILLON_HOME");
    g_autofree char *usual = g_build_filename(g_get_user_data_dir(), "maillon", NULL);
    return g_canonicalize_filename(home != NULL && *home != '\0' ? home : usual, NULL);
}

static void complain(const char *text) {
    /* The node may speak another language. Not g_printerr: without its locale it prints `?`. */
    fprintf(stderr, "maillon: %s\n", language_text(text));
}

static CliStatus status_of(const GError *error) {
    if (error->domain == COMMAND_ERROR) {
        return error->code == COMMAND_ERROR_USAGE ? CLI_USAGE : CLI_REFUSED;
    }
    if (error->domain == BUS_CLIENT_ERROR) {
        switch (error->code) {
        case BUS_CLIENT_ERROR_ABSENT:
            return CLI_NO_NODE;
        case BUS_CLIENT_ERROR_USAGE:
            return CLI_USAGE;
        default:
            break;
        }
    }
    return CLI_REFUSED;
}

/* What stands on the person's line of progress; 0 begun_us: nothing is to be shown. */
typedef struct {
    gint64 begun_us;
    char text[PROGRESS_SIZE];
    Hold *hold; /* of a command that lasts, or NULL */
} Progress;

static void progress_show(Progress *progress, const char *text) {
    if (strcmp(progress->text, text) != 0) {
        fprintf(stderr, "\r%*s\r%s", PROGRESS_SIZE, "", text);
        g_strlcpy(progress->text, text, sizeof progress->text);
    }
}

static void on_progress(guint64 done, guint64 total, const char *sentence, gpointer data) {
    Progress *progress = data;
    char text[PROGRESS_SIZE];
    hold_look(progress->hold);
    if (sentence != NULL) {
        progress_show(progress, "");
        fprintf(stderr, "%s\n", sentence);
        return;
    }
    if (progress->begun_us == 0) {
        return;
    }
    gint64 seconds = (g_get_monotonic_time() - progress->begun_us) / G_USEC_PER_SEC;
    if (total > 0) {
        g_snprintf(text, sizeof text, "%3u %%", (unsigned)(MIN(done, total) * 100 / total));
        progress_show(progress, text);
    } else if (seconds >= PATIENCE_S) {
        g_snprintf(text, sizeof text, "… %lld s", (long long)seconds);
        progress_show(progress, text);
    }
}

/* What the bearer of a ticket does with it, where that is not what everybody does. */
static void explain_ticket(const Words *words) {
    if (strcmp(words->command->words, "invite") == 0 &&
        strcmp(json_text(words->arguments, "role", ""), "relay") == 0) {
        complain(_("this ticket lets a relay in: `maillon start --relay TICKET`, in a home of its "
                   "own. It carries for the meeting, and keeps what is sealed for members who are "
                   "away; it can read nothing, and neither speaks nor votes"));
    }
}

static gboolean ask(const Words *words, BusClient *client, GError **error) {
    if (json_flag(words->local, "follow")) {
        return follow_messages(words, client, error);
    }
    if (json_flag(words->local, "watch")) {
        return follow_peers(words, client, error);
    }
    g_autofree char *home = home_of(words);
    Progress progress = {.begun_us = isatty(STDERR_FILENO) ? g_get_monotonic_time() : 0,
                         .hold = hold_begin(words->command->words, home)};
    g_autoptr(JsonNode) answer = bus_client_ask(client, words->command->words, words->arguments,
                                                on_progress, &progress, error);
    progress_show(&progress, "");
    hold_end(progress.hold);
    if (answer == NULL) {
        return FALSE;
    }
    if (words->json) {
        print_json(answer);
        return TRUE;
    }
    if (json_flag(words->local, "dot")) {
        g_autofree char *text = chart_dot(json_node_get_object(answer));
        fputs(text, stdout);
        return TRUE;
    }
    print_answer(words->command->words, answer);
    explain_ticket(words);
    if (json_flag(words->local, "qr") &&
        !print_qr(json_text(json_node_get_object(answer), "ticket", ""))) {
        complain(_("no QR code could be made"));
    }
    return TRUE;
}

static CliStatus run_local(const Words *words, const char *home, CliStart start) {
    if (strcmp(words->command->words, "start") == 0) {
        signal(SIGPIPE, SIG_IGN); /* who stops listening must not end a meeting */
        return start(home, words->local, words->json);
    }
    help_completion(json_text(words->arguments, "shell", ""));
    return CLI_DONE;
}

static CliStatus run(const Words *words, CliStart start, GError **error) {
    if (words->wish == WORDS_HELP) {
        help_print(words->command, words->topic);
        return CLI_DONE;
    }
    if (words->wish == WORDS_VERSION) {
        puts("maillon " MAILLON_VERSION);
        return CLI_DONE;
    }
    g_autofree char *home = home_of(words);
    if (words->command->handler == NULL) {
        return command_check(words->command, words->arguments, error)
                   ? run_local(words, home, start)
                   : CLI_USAGE;
    }
    BusClient *client = bus_client_create(home, error);
    gboolean done = client != NULL && ask(words, client, error);
    bus_client_destroy(client);
    return done ? CLI_DONE : status_of(*error);
}

CliStatus cli_run(int argc, char **argv, CliStart start) {
    g_autoptr(GError) error = NULL;
    signal(SIGPIPE, SIG_DFL); /* `| head` ends us, as any program */
    g_autoptr(Words) words = words_read(argc - 1, argv + 1, &error);
    CliStatus status = words != NULL ? run(words, start, &error) : status_of(error);
    if (error != NULL) {
        complain(error->message);
    }
    if (status == CLI_DONE && (fflush(stdout) != 0 || ferror(stdout) != 0)) {
        complain(_("the output cannot be written"));
        return CLI_REFUSED;
    }
    return status;
}
