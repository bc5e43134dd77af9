/* SPDX-License-Identifier: MPL-2.0 */
#include "node/media/helper.h"

#include <errno.h>
#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "node/bus/address.h"
#include "node/bus/socket.h"
#include "node/cli/language.h"
#include "node/media/program.h"

/* The first start of a machine reads every GStreamer plugin there is. */
#define READY_S 60

/* Between two starts, ms; doubled by each quick death. */
#define REST_MS_MIN 200
#define REST_MS_MAX 2000

/* One that lived so long has not died quickly; so many quick deaths in a row are enough. */
#define LONG_LIFE_US     (10 * G_USEC_PER_SEC)
#define QUICK_DEATHS_MAX 6

#define WAIT_STEP_US 5000

/* To end before it is started with other options, s. */
#define RENEW_S 3

/* What must arrive is held while the socket is full, tried again this often, ms; only so many. */
#define HELD_MS  20
#define HELD_MAX 256

/* What the memory that both share is called in the helper: its first descriptor after the usual. */
#define HEARD_DESCRIPTOR 3
#define HEARD_WORD       "3"

typedef enum {
    HELPER_OFF,
    HELPER_STARTING, /* it runs, but did not say that it is ready */
    HELPER_READY,
    HELPER_RESTING, /* it died, and is started again when the timer ends */
    HELPER_GIVEN_UP,
    HELPER_RENEWED, /* asked to end, and to be started with other options */
    HELPER_ENDING,  /* asked to end, for good */
} HelperState;

struct MediaHelper {
    MediaHelperHandler handler;
    char *home;
    char *role;
    char **options;
    int heard; /* descriptor, borrowed; -1: none */
    HelperState state;
    BusSocket *socket;
    char *endpoint;
    GPid process; /* 0: none */
    guint watch;  /* over the process */
    guint timer;  /* STARTING: its patience; RESTING: the rest; GIVEN_UP: word of it is due */
    gint64 since_us;
    guint quick_deaths;
    guint starts;
    char *last_words; /* why it is about to end, as it says itself */
    guint64 refused;  /* messages it could not have sent */
    guint64 dropped;  /* for it, while it was ready, but there was no room */
    GQueue held;      /* GBytes that the socket had no room for */
    guint retry;      /* timer, while something is held */
};

static void spawn(MediaHelper *helper);

MediaHelper *media_helper_create(const char *home, const char *role, const char *const *options,
                                 int heard, MediaHelperHandler handler) {
    MediaHelper *helper = g_new0(MediaHelper, 1);
    helper->handler = handler;
    helper->home = g_strdup(home);
    helper->role = g_strdup(role);
    helper->options = g_strdupv((char **)options);
    helper->heard = heard;
    return helper;
}

static void set_state(MediaHelper *helper, HelperState state) {
    helper->state = state;
    helper->since_us = g_get_monotonic_time();
    g_clear_handle_id(&helper->timer, g_source_remove);
    g_clear_handle_id(&helper->retry, g_source_remove);
    g_queue_clear_full(&helper->held, (GDestroyNotify)g_bytes_unref);
}

static void on_message(GPtrArray *parts, gpointer data) {
    MediaHelper *helper = data;
    gsize length = 0;
    const guint8 *bytes = g_bytes_get_data(g_ptr_array_index(parts, 0), &length);
    MediaMessage message;
    if (parts->len != 1 || !media_message_decode(bytes, length, &message)) {
        helper->refused++;
        return;
    }
    /* What a dead one said is of no use, and a new one says first that it is ready. */
    if (message.type == MEDIA_READY && helper->state == HELPER_STARTING) {
        g_autofree char *raw = g_strndup(message.notice.text.data, message.notice.text.length);
        g_autofree char *text = g_utf8_make_valid(raw, -1);
        set_state(helper, HELPER_READY);
        helper->handler.ready(helper->handler.user, text);
    } else if (message.type == MEDIA_ENDED && message.notice.kind == MEDIA_KIND_NONE) {
        g_autofree char *raw = g_strndup(message.notice.text.data, message.notice.text.length);
        g_free(helper->last_words);
        helper->last_words = g_utf8_make_valid(raw, -1);
    } else if (helper->state == HELPER_READY) {
        helper->handler.message(helper->handler.user, &message);
    }
}

static gboolean on_rested(gpointer data) {
    MediaHelper *helper = data;
    helper->timer = 0;
    spawn(helper);
    return G_SOURCE_REMOVE;
}

/* Decides what follows a death. */
static void mourn(MediaHelper *helper, const char *reason, gboolean hopeless) {
    gboolean quick = g_get_monotonic_time() - helper->since_us < LONG_LIFE_US;
    helper->quick_deaths = quick ? helper->quick_deaths + 1 : 1;
    /* One that says at its beginning what is wrong would only say it again. */
    if (helper->quick_deaths >= QUICK_DEATHS_MAX || hopeless) {
        set_state(helper, HELPER_GIVEN_UP);
    } else {
        guint rest_ms = MIN(REST_MS_MIN << (helper->quick_deaths - 1), REST_MS_MAX);
        set_state(helper, HELPER_RESTING);
        helper->timer = g_timeout_add(rest_ms, on_rested, helper);
    }
    helper->handler.gone(helper->handler.user, reason, helper->state == HELPER_RESTING);
}

static char *describe_death(MediaHelper *helper, int status) {
    if (helper->last_words != NULL && helper->last_words[0] != '\0') {
        return g_steal_pointer(&helper->last_words);
    }
    if (WIFSIGNALED(status)) {
        return WTERMSIG(status) == SIGALRM ? g_strdup(_("it hung"))
                                           : g_strdup(g_strsignal(WTERMSIG(status)));
    }
    return g_strdup_printf(_("it ended with status %d"), WEXITSTATUS(status));
}

static void on_death(GPid process, gint status, gpointer data) {
    MediaHelper *helper = data;
    helper->watch = 0;
    helper->process = 0;
    g_spawn_close_pid(process);
    /* What it managed to say before. */
    for (GPtrArray *parts = bus_socket_wait(helper->socket, 0); parts != NULL;
         parts = bus_socket_wait(helper->socket, 0)) {
        on_message(parts, helper);
        g_ptr_array_unref(parts);
    }
    if (helper->state == HELPER_RENEWED) {
        set_state(helper, HELPER_OFF);
        helper->handler.gone(helper->handler.user, NULL, TRUE);
        spawn(helper);
        return;
    }
    gboolean hopeless = helper->state == HELPER_STARTING && helper->last_words != NULL;
    g_autofree char *reason = describe_death(helper, status);
    mourn(helper, reason, hopeless);
}

static gboolean on_impatient(gpointer data) {
    MediaHelper *helper = data;
    helper->timer = 0;
    kill(helper->process, SIGKILL);
    return G_SOURCE_REMOVE;
}

static gboolean listen_to(MediaHelper *helper, GError **error) {
    if (helper->socket != NULL) {
        return TRUE;
    }
    g_autofree char *path = bus_address_path(helper->home, helper->role, TRUE, error);
    BusSocket *socket =
        path != NULL ? bus_socket_create(BUS_SOCKET_PAIR, MEDIA_MESSAGE_MAX, error) : NULL;
    g_autofree char *endpoint = g_strconcat("ipc://", path, NULL);
    if (socket == NULL || !bus_socket_bind(socket, endpoint, error)) {
        bus_socket_destroy(socket, 0);
        return FALSE;
    }
    bus_socket_watch(socket, on_message, helper);
    helper->socket = socket;
    helper->endpoint = g_steal_pointer(&endpoint);
    return TRUE;
}

static gboolean run(MediaHelper *helper, GError **error) {
    g_autofree char *program = media_program_find(error);
    if (program == NULL || !listen_to(helper, error)) {
        return FALSE;
    }
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_ptr_array_add(words, program);
    g_ptr_array_add(words, helper->role);
    g_ptr_array_add(words, (gpointer) "--endpoint");
    g_ptr_array_add(words, helper->endpoint);
    for (char **option = helper->options; *option != NULL; option++) {
        g_ptr_array_add(words, *option);
    }
    if (helper->starts > 0 && strcmp(helper->role, "play") == 0) {
        g_ptr_array_add(words, (gpointer) "--continue");
    }
    if (helper->heard >= 0) {
        g_ptr_array_add(words, (gpointer) "--heard");
        g_ptr_array_add(words, (gpointer)HEARD_WORD);
    }
    g_ptr_array_add(words, NULL);
    /* Standard output belongs to the node's own words; on the other, sound libraries complain of
       each device that is not there, which is for those who look for faults. */
    GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL;
    flags |= g_getenv("GST_DEBUG") == NULL ? G_SPAWN_STDERR_TO_DEV_NULL : G_SPAWN_DEFAULT;
    const int theirs = HEARD_DESCRIPTOR;
    return g_spawn_async_with_pipes_and_fds(NULL, (const char *const *)words->pdata, NULL, flags,
                                            NULL, NULL, -1, -1, -1, &helper->heard, &theirs,
                                            helper->heard >= 0 ? 1 : 0, &helper->process, NULL,
                                            NULL, NULL, error);
}

static gboolean on_hopeless(gpointer data) {
    MediaHelper *helper = data;
    g_autofree char *reason = g_steal_pointer(&helper->last_words);
    helper->timer = 0;
    helper->handler.gone(helper->handler.user, reason, FALSE);
    return G_SOURCE_REMOVE;
}

static void spawn(MediaHelper *helper) {
    g_autoptr(GError) error = NULL;
    g_clear_pointer(&helper->last_words, g_free);
    if (!run(helper, &error)) {
        set_state(helper, HELPER_GIVEN_UP);
        helper->last_words = g_strdup(error->message);
        helper->timer = g_idle_add(on_hopeless, helper);
        return;
    }
    helper->starts++;
    set_state(helper, HELPER_STARTING);
    helper->timer = g_timeout_add_seconds(READY_S, on_impatient, helper);
    helper->watch = g_child_watch_add(helper->process, on_death, helper);
}

void media_helper_start(MediaHelper *helper, guint rest_s) {
    switch (helper->state) {
    case HELPER_GIVEN_UP:
        if (helper->timer != 0 ||
            g_get_monotonic_time() - helper->since_us < rest_s * G_USEC_PER_SEC) {
            return;
        }
        break;
    case HELPER_OFF:
        break;
    case HELPER_STARTING:
    case HELPER_READY:
    case HELPER_RESTING:
    case HELPER_RENEWED:
    case HELPER_ENDING:
        return;
    }
    helper->quick_deaths = 0;
    spawn(helper);
}

void media_helper_renew(MediaHelper *helper, const char *const *options) {
    g_strfreev(helper->options);
    helper->options = g_strdupv((char **)options);
    if (helper->process != 0 && helper->state != HELPER_ENDING) {
        set_state(helper, HELPER_RENEWED);
        helper->timer = g_timeout_add_seconds(RENEW_S, on_impatient, helper);
        kill(helper->process, SIGTERM);
    } else if (helper->state == HELPER_GIVEN_UP) {
        media_helper_start(helper, 0);
    }
}

static gboolean on_retry(gpointer data) {
    MediaHelper *helper = data;
    GBytes *part = g_queue_peek_head(&helper->held);
    while (part != NULL && bus_socket_send(helper->socket, &part, 1)) {
        g_bytes_unref(g_queue_pop_head(&helper->held));
        part = g_queue_peek_head(&helper->held);
    }
    if (part != NULL) {
        return G_SOURCE_CONTINUE;
    }
    helper->retry = 0;
    return G_SOURCE_REMOVE;
}

void media_helper_send(MediaHelper *helper, const MediaMessage *message) {
    size_t size = media_message_size(message);
    gboolean frame = message->type == MEDIA_FRAME;
    if (helper->state != HELPER_READY || size == 0) {
        return;
    }
    if (frame && helper->retry != 0) {
        helper->dropped++; /* nothing overtakes what is held */
        return;
    }
    guint8 *bytes = g_malloc(size);
    media_message_encode(message, bytes, size);
    g_autoptr(GBytes) part = g_bytes_new_take(bytes, size);
    if (helper->retry == 0 && bus_socket_send(helper->socket, &part, 1)) {
        return;
    }
    if (frame || helper->held.length >= HELD_MAX) {
        helper->dropped++;
    } else {
        g_queue_push_tail(&helper->held, g_steal_pointer(&part));
        helper->retry =
            helper->retry != 0 ? helper->retry : g_timeout_add(HELD_MS, on_retry, helper);
    }
}

gboolean media_helper_ready(const MediaHelper *helper) {
    return helper->state == HELPER_READY;
}

guint media_helper_restarts(const MediaHelper *helper) {
    return helper->starts > 0 ? helper->starts - 1 : 0;
}

guint64 media_helper_refused(const MediaHelper *helper) {
    return helper->refused;
}

guint64 media_helper_dropped(const MediaHelper *helper) {
    return helper->dropped;
}

void media_helper_end(MediaHelper *helper) {
    set_state(helper, HELPER_ENDING);
    g_clear_handle_id(&helper->watch, g_source_remove);
    if (helper->process != 0) {
        kill(helper->process, SIGTERM);
    }
}

void media_helper_destroy(MediaHelper *helper, gint64 until_us) {
    if (helper == NULL) {
        return;
    }
    if (helper->state != HELPER_ENDING) {
        media_helper_end(helper);
    }
    while (helper->process != 0 && waitpid(helper->process, NULL, WNOHANG) == 0) {
        if (g_get_monotonic_time() < until_us) {
            g_usleep(WAIT_STEP_US);
        } else {
            kill(helper->process, SIGKILL);
            waitpid(helper->process, NULL, 0);
            break;
        }
    }
    bus_socket_destroy(helper->socket, 0);
    g_free(helper->last_words);
    g_free(helper->endpoint);
    g_strfreev(helper->options);
    g_free(helper->role);
    g_free(helper->home);
    g_free(helper);
}
