/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/store.h"

typedef struct {
    MeshItemKind kind;
    GBytes *key;
    GBytes *value; /* NULL: forgotten */
    uint64_t token;
    uint64_t number; /* in the order first put */
} Item;

struct Store {
    GHashTable *items; /* Item → itself */
    GQueue waiting;    /* of Item */
    uint64_t count;
};

static void item_destroy(gpointer data) {
    Item *item = data;

    g_bytes_unref(item->key);
    g_clear_pointer(&item->value, g_bytes_unref);
    g_free(item);
}

static guint item_hash(gconstpointer data) {
    const Item *item = data;

    return g_bytes_hash(item->key) * 4 + item->kind;
}

static gboolean item_equal(gconstpointer a, gconstpointer b) {
    const Item *one = a, *other = b;

    return one->kind == other->kind && g_bytes_equal(one->key, other->key);
}

Store *store_create(void) {
    Store *store = g_new0(Store, 1);

    store->items = g_hash_table_new_full(item_hash, item_equal, NULL, item_destroy);
    g_queue_init(&store->waiting);
    return store;
}

void store_destroy(Store *store) {
    if (!store)
        return;
    g_hash_table_unref(store->items);
    g_queue_clear_full(&store->waiting, item_destroy);
    g_free(store);
}

static void wait_for_commit(Store *store, uint64_t token, const MeshItem *item, GBytes *value) {
    Item *added = g_new0(Item, 1);

    added->kind = item->kind;
    added->key = g_bytes_new(item->key, item->key_length);
    added->value = value;
    added->token = token;
    g_queue_push_tail(&store->waiting, added);
}

void store_put(Store *store, uint64_t token, const MeshItem *item) {
    wait_for_commit(store, token, item, g_bytes_new(item->value, item->value_length));
}

void store_forget(Store *store, const MeshItem *item) {
    wait_for_commit(store, 0, item, NULL);
}

GBytes *store_fetch(const Store *store, const MeshItem *item) {
    Item wanted = {.kind = item->kind, .key = g_bytes_new(item->key, item->key_length)};
    const Item *found = g_hash_table_lookup(store->items, &wanted);

    for (const GList *at = store->waiting.head; at; at = at->next)
        if (item_equal(at->data, &wanted))
            found = at->data;
    g_bytes_unref(wanted.key);
    return found && found->value ? g_bytes_ref(found->value) : NULL;
}

uint64_t store_size(const Store *store, MeshItemKind kind) {
    uint64_t size = 0;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, store->items);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((const Item *)value)->kind == kind)
            size += g_bytes_get_size(((const Item *)value)->value);
    return size;
}

size_t store_waiting(const Store *store) {
    return store->waiting.length;
}

/* Does the first of what waits; the token of a put, else 0. */
static uint64_t settle(Store *store) {
    Item *item = g_queue_pop_head(&store->waiting);
    const Item *former = g_hash_table_lookup(store->items, item);
    uint64_t token = item->token;

    item->number = former ? former->number : store->count++;
    if (item->value) {
        g_hash_table_replace(store->items, item, item);
    } else {
        g_hash_table_remove(store->items, item);
        item_destroy(item);
    }
    return token;
}

uint64_t store_commit(Store *store) {
    uint64_t last = 0;

    while (store->waiting.length > 0) {
        uint64_t token = settle(store);

        last = token ? token : last;
    }
    return last;
}

uint64_t store_refuse(Store *store) {
    uint64_t last = 0;

    for (const GList *at = store->waiting.head; at; at = at->next)
        last = ((const Item *)at->data)->token ? ((const Item *)at->data)->token : last;
    g_queue_clear_full(&store->waiting, item_destroy);
    return last;
}

void store_crash(Store *store, size_t kept) {
    for (size_t i = 0; i < kept && store->waiting.length > 0; i++)
        settle(store);
    g_queue_clear_full(&store->waiting, item_destroy);
}

static gint by_kind_then_number(gconstpointer a, gconstpointer b) {
    const Item *one = *(const Item *const *)a, *other = *(const Item *const *)b;

    if (one->kind != other->kind)
        return one->kind < other->kind ? -1 : 1;
    return one->number < other->number ? -1 : 1;
}

void store_load(const Store *store, void (*load)(gpointer context, const MeshItem *item),
                gpointer context) {
    GPtrArray *items = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, store->items);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(items, value);
    g_ptr_array_sort(items, by_kind_then_number);
    for (guint i = 0; i < items->len; i++) {
        const Item *item = g_ptr_array_index(items, i);
        MeshItem given = {.kind = item->kind};

        given.key = g_bytes_get_data(item->key, &given.key_length);
        if (item->kind != MESH_ITEM_BLOCK)
            given.value = g_bytes_get_data(item->value, &given.value_length);
        load(context, &given);
    }
    g_ptr_array_unref(items);
}
