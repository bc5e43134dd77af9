/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/bench/heap.h"

#include <glib.h>
#include <string.h>

typedef struct {
    const Mesh *mesh;
    size_t size;
} Block;

static GHashTable *blocks;  /* address → Block */
static GHashTable *held;    /* Mesh → bytes */
static const Mesh *current; /* something is being done to it */
static bool is_born;        /* a core is being created: its blocks are its own once it is there */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

Mesh *__real_mesh_create(const MeshOptions *options);
MeshError __real_mesh_step(Mesh *mesh, const MeshEvent *event);
bool __real_mesh_next_effect(Mesh *mesh, MeshEffect *ret_effect);
Mesh *__wrap_mesh_create(const MeshOptions *options);
MeshError __wrap_mesh_step(Mesh *mesh, const MeshEvent *event);
bool __wrap_mesh_next_effect(Mesh *mesh, MeshEffect *ret_effect);

/* ---- the account ---- */

size_t heap_held(const Mesh *mesh) {
    return GPOINTER_TO_SIZE(g_hash_table_lookup(held, mesh));
}

static void add(const Mesh *mesh, size_t more, size_t less) {
    g_hash_table_insert(held, (gpointer)mesh, GSIZE_TO_POINTER(heap_held(mesh) + more - less));
}

static void *note(void *address, size_t size) {
    Block *block;

    if (!address || (!current && !is_born))
        return address;
    if (!blocks) {
        blocks = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        held = g_hash_table_new(NULL, NULL);
    }
    block = g_new(Block, 1);
    *block = (Block){current, size};
    g_hash_table_insert(blocks, address, block);
    add(current, size, 0);
    return address;
}

static void forget(void *address) {
    const Block *block = address && blocks ? g_hash_table_lookup(blocks, address) : NULL;

    if (block) {
        add(block->mesh, 0, block->size);
        g_hash_table_remove(blocks, address);
    }
}

void *__wrap_malloc(size_t size) {
    return note(__real_malloc(size), size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return note(__real_calloc(count, size), count * size);
}

void *__wrap_realloc(void *block, size_t size) {
    void *bigger;

    forget(block);
    bigger = __real_realloc(block, size);
    return note(bigger, size);
}

void __wrap_free(void *block) {
    forget(block);
    __real_free(block);
}

/* ---- whose it is ---- */

static void adopt(gpointer address, gpointer value, gpointer mesh) {
    Block *block = value;

    if (!block->mesh) {
        block->mesh = mesh;
        add(NULL, 0, block->size);
        add(mesh, block->size, 0);
    }
}

Mesh *__wrap_mesh_create(const MeshOptions *options) {
    Mesh *mesh;

    is_born = true;
    mesh = __real_mesh_create(options);
    is_born = false;
    if (blocks)
        g_hash_table_foreach(blocks, adopt, mesh);
    return mesh;
}

MeshError __wrap_mesh_step(Mesh *mesh, const MeshEvent *event) {
    MeshError error;

    current = mesh;
    error = __real_mesh_step(mesh, event);
    current = NULL;
    return error;
}

bool __wrap_mesh_next_effect(Mesh *mesh, MeshEffect *ret_effect) {
    bool any;

    current = mesh;
    any = __real_mesh_next_effect(mesh, ret_effect);
    current = NULL;
    return any;
}
