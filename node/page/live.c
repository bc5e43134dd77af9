/* SPDX-License-Identifier: MPL-2.0 */
#include "node/page/live.h"

#include <sodium.h>
#include <string.h>

#include "node/bus/json.h"

#define RUN_SIZE 8 /* bytes drawn */

/* What was sent, in a queue: how large, and whether it is a picture. */
#define SENT(size, picture) GSIZE_TO_POINTER((gsize)(size) << 1 | (picture))

typedef enum {
    CLIENT_FOLLOWS, /* is sent every event */
    CLIENT_BEHIND,  /* has to read first */
    CLIENT_GONE,
} ClientState;

typedef struct {
    guint64 number;
    GBytes *body;
} Event;

struct Live {
    Bus *bus;
    LivePictures pictures;
    gboolean claimed; /* as it was last told */
    GPtrArray *clients;
    GQueue events; /* Event, the oldest first, without a gap */
    gsize event_bytes;
    char *build;                /* of the page this node serves */
    char run[2 * RUN_SIZE + 1]; /* of the node: numbers begin anew in another */
};

/* Counted: the one of `clients`, and one of each call under way. */
typedef struct {
    Live *live;
    SoupWebsocketConnection *socket;
    ClientState state;
    guint64 number; /* of the last event sent */
    GQueue unseen;  /* SENT, the oldest first */
    gsize bytes;    /* of text, their sum */
    guint64 seen;   /* how many messages the page says it has had */
    Watch watch;
} Client;

static void client_clear(gpointer data) {
    Client *client = data;
    g_queue_clear(&client->unseen);
}

static void client_release(gpointer data) {
    g_rc_box_release_full(data, client_clear);
}

static void claims_changed(Live *live) {
    gboolean any = FALSE;
    for (guint i = 0; i < live->clients->len; i++) {
        any |= ((const Client *)g_ptr_array_index(live->clients, i))->watch.claims;
    }
    if (any != live->claimed) {
        live->claimed = any;
        live->pictures.claimed(live->pictures.user, any);
    }
}

/* Hangs up; the connection frees what it still had to send. */
static void client_drop(Client *client) {
    Live *live = client->live;
    if (client->state == CLIENT_GONE) {
        return;
    }
    client->state = CLIENT_GONE;
    client->watch = (Watch){0};
    g_signal_handlers_disconnect_by_data(client->socket, client);
    g_clear_object(&client->socket);
    g_ptr_array_remove(live->clients, client); /* releases it */
    claims_changed(live);
}

static gboolean client_is_open(const Client *client) {
    return client->state != CLIENT_GONE &&
           soup_websocket_connection_get_state(client->socket) == SOUP_WEBSOCKET_STATE_OPEN;
}

static void client_send(Client *client, GBytes *body) {
    gsize size = g_bytes_get_size(body);
    if (!client_is_open(client)) {
        return;
    }
    g_queue_push_tail(&client->unseen, SENT(size, FALSE));
    client->bytes += size;
    soup_websocket_connection_send_message(client->socket, SOUP_WEBSOCKET_DATA_TEXT, body);
}

/* ---- events ---- */

static void event_free(Event *event) {
    g_bytes_unref(event->body);
    g_free(event);
}

static void client_event(Client *client, guint64 number, GBytes *body) {
    if (client->state != CLIENT_FOLLOWS) {
        return;
    }
    if (client->bytes + g_bytes_get_size(body) > LIVE_BEHIND_BYTES) {
        client->state = CLIENT_BEHIND;
        return;
    }
    client->number = number;
    client_send(client, body);
}

static void on_event(guint64 number, GBytes *body, gpointer data) {
    Live *live = data;
    Event *event = g_new(Event, 1);
    *event = (Event){number, g_bytes_ref(body)};
    g_queue_push_tail(&live->events, event);
    live->event_bytes += g_bytes_get_size(body);
    while (live->events.length > LIVE_EVENTS_MAX ||
           (live->event_bytes > LIVE_KEPT_BYTES_MAX && live->events.length > 1)) {
        Event *oldest = g_queue_pop_head(&live->events);
        live->event_bytes -= g_bytes_get_size(oldest->body);
        event_free(oldest);
    }
    for (guint i = 0; i < live->clients->len; i++) {
        client_event(g_ptr_array_index(live->clients, i), number, body);
    }
}

/* Every event after this one is kept. */
static gboolean is_kept(const Live *live, guint64 after) {
    guint64 last = bus_number(live->bus);
    const Event *oldest = g_queue_peek_head((GQueue *)&live->events);
    return after == last || (after < last && oldest != NULL && after + 1 >= oldest->number);
}

/* Says where the events to come begin: after the ones the page had, or from now on. */
static void client_greet(Client *client, gboolean resumed, guint64 after) {
    Live *live = client->live;
    guint64 number = resumed ? after : bus_number(live->bus);
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "event", "welcome");
    json_put_int(builder, "number", (gint64)number);
    json_put_text(builder, "run", live->run);
    json_put_text(builder, "version", MAILLON_VERSION);
    json_put_text(builder, "build", live->build);
    json_put_flag(builder, "resumed", resumed);
    json_builder_end_object(builder);
    JsonNode *node = json_built(builder);
    char *text = json_write(node);
    json_node_unref(node);
    g_autoptr(GBytes) body = g_bytes_new_take(text, strlen(text));
    client->state = CLIENT_FOLLOWS;
    client->number = number;
    client_send(client, body);
    for (GList *at = live->events.head; at != NULL; at = at->next) {
        const Event *event = at->data;
        if (event->number > number) {
            client_event(client, event->number, event->body);
        }
    }
}

/* ---- pictures ---- */

static void client_picture(Client *client, WatchSource *source, const Picture *picture) {
    const LivePictures *pictures = &client->live->pictures;
    if (!client_is_open(client)) {
        return;
    }
    if (watch_admits(&client->watch, source, picture)) {
        g_autoptr(GBytes) message = watch_message(source, picture);
        g_queue_push_tail(&client->unseen, SENT(g_bytes_get_size(message), TRUE));
        soup_websocket_connection_send_message(client->socket, SOUP_WEBSOCKET_DATA_BINARY, message);
        watch_sent(&client->watch, source, picture);
    } else if (source->state != WATCH_SEEING &&
               watch_wishes(&client->watch, source, g_get_monotonic_time())) {
        pictures->wished(pictures->user, &source->member, source->kind);
    }
}

void live_picture(Live *live, const Picture *picture) {
    for (guint i = 0; i < live->clients->len; i++) {
        Client *client = g_ptr_array_index(live->clients, i);
        WatchSource *source = watch_find(&client->watch, &picture->member, picture->kind);
        if (source != NULL) {
            client_picture(client, source, picture);
        }
    }
}

/* What was kept, for a page that has not seen it. */
static void client_kept(Client *client, WatchSource *source) {
    const LivePictures *pictures = &client->live->pictures;
    Picture kept;
    if (pictures->kept(pictures->user, &source->member, source->kind, &kept)) {
        client_picture(client, source, &kept);
    }
}

/* It begins to show some: what was kept, and, unless that is all there is, the next keyframe. */
static void client_watch(Client *client, JsonNode *list) {
    const LivePictures *pictures = &client->live->pictures;
    if (pictures->claimed == NULL || !watch_set(&client->watch, list)) {
        client_drop(client);
        return;
    }
    claims_changed(client->live);
    for (guint i = 0; i < client->watch.count; i++) {
        WatchSource *source = &client->watch.sources[i];
        if (source->state == WATCH_NOTHING) {
            client_kept(client, source);
        }
    }
}

static void client_wish(Client *client, gint64 number) {
    const LivePictures *pictures = &client->live->pictures;
    WatchSource *source = number >= 0 && number <= G_MAXUINT32
                              ? watch_numbered(&client->watch, (guint32)number)
                              : NULL;
    if (source != NULL && watch_wishes(&client->watch, source, g_get_monotonic_time())) {
        pictures->wished(pictures->user, &source->member, source->kind);
    }
}

static void client_made_up(Client *client) {
    for (WatchSource *source = watch_missed(&client->watch); source != NULL;
         source = watch_missed(&client->watch)) {
        client_kept(client, source);
    }
}

/* ---- what a page says ---- */

static void on_answer(GBytes *body, gpointer data) {
    client_send(data, body);
}

static gboolean client_waits(gpointer data) {
    return ((const Client *)data)->state != CLIENT_GONE;
}

/* The page has had so many messages since it connected. */
static void client_seen(Client *client, gint64 seen) {
    if (seen < 0 || (guint64)seen < client->seen ||
        (guint64)seen - client->seen > client->unseen.length) {
        client_drop(client);
        return;
    }
    for (; client->seen < (guint64)seen; client->seen++) {
        gsize sent = GPOINTER_TO_SIZE(g_queue_pop_head(&client->unseen));
        if (sent & 1) {
            watch_read(&client->watch, sent >> 1);
        } else {
            client->bytes -= sent >> 1;
        }
    }
    client_made_up(client);
    if (client->state == CLIENT_BEHIND && client->bytes == 0) {
        client_greet(client, is_kept(client->live, client->number), client->number);
    }
}

static void on_message(SoupWebsocketConnection *socket, gint type, GBytes *body, gpointer data) {
    Client *client = data;
    gsize length = 0;
    const char *text = g_bytes_get_data(body, &length);
    g_autoptr(JsonNode) node = type == SOUP_WEBSOCKET_DATA_TEXT ? json_read(text, length) : NULL;
    JsonObject *object =
        node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    gint64 seen = object != NULL ? json_int(object, "seen", -1) : -1;
    if (object == NULL || client->bytes > LIVE_SENT_BYTES_MAX ||
        client->unseen.length > LIVE_SENT_COUNT_MAX) {
        client_drop(client);
    } else if (seen >= 0) {
        client_seen(client, seen);
    } else if (json_object_has_member(object, "watch")) {
        client_watch(client, json_object_get_member(object, "watch"));
    } else if (json_object_has_member(object, "keyframe")) {
        client_wish(client, json_int(object, "keyframe", -1));
    } else {
        BusAsker asker = {.answer = on_answer,
                          .release = client_release,
                          .waits = client_waits,
                          .user = g_rc_box_acquire(client),
                          .id = json_int(object, "id", 0),
                          .file = -1};
        bus_ask(client->live->bus, body, &asker);
    }
}

static void on_closed(SoupWebsocketConnection *socket, gpointer data) {
    client_drop(data);
}

void live_accept(Live *live, SoupWebsocketConnection *socket, const char *run, guint64 after) {
    if (live->clients->len >= LIVE_PAGES_MAX) {
        soup_websocket_connection_close(socket, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, NULL);
        return;
    }
    Client *client = g_rc_box_new0(Client);
    client->live = live;
    client->socket = g_object_ref(socket);
    g_queue_init(&client->unseen);
    g_ptr_array_add(live->clients, client);
    soup_websocket_connection_set_max_incoming_payload_size(socket, JSON_BYTES_MAX);
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(socket), "max-total-message-size")) {
        g_object_set(socket, "max-total-message-size", (guint64)JSON_BYTES_MAX, NULL);
    }
    g_signal_connect(socket, "message", G_CALLBACK(on_message), client);
    g_signal_connect(socket, "closed", G_CALLBACK(on_closed), client);
    bus_listen(live->bus, on_event, live); /* from the first page on: nothing is missed */
    client_greet(client, run != NULL && strcmp(run, live->run) == 0 && is_kept(live, after), after);
}

/* ---- life ---- */

Live *live_create(Bus *bus, const char *build, LivePictures pictures) {
    guint8 drawn[RUN_SIZE];
    Live *live = g_new0(Live, 1);
    live->bus = bus;
    live->build = g_strdup(build);
    live->pictures = pictures;
    live->clients = g_ptr_array_new_with_free_func(client_release);
    g_queue_init(&live->events);
    randombytes_buf(drawn, sizeof drawn);
    sodium_bin2hex(live->run, sizeof live->run, drawn, sizeof drawn);
    return live;
}

void live_destroy(Live *live) {
    if (live == NULL) {
        return;
    }
    bus_listen(live->bus, NULL, NULL);
    while (live->clients->len > 0) {
        client_drop(g_ptr_array_index(live->clients, 0));
    }
    g_ptr_array_unref(live->clients);
    g_queue_clear_full(&live->events, (GDestroyNotify)event_free);
    g_free(live->build);
    g_free(live);
}
