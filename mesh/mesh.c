/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/mesh.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"

#define LEAVE_US (2 * S) /* for the last words to whoever was expelled */

/* ---- life ---- */

Mesh *mesh_create(const MeshOptions *options) {
    Mesh *mesh = calloc(1, sizeof *mesh);
    size_t length = options->name ? strlen(options->name) : 0;

    if (!mesh) {
        return NULL;
    }
    mesh->journal = journal_create();
    if (!neighbours_init(&mesh->neighbours) || !map_init(&mesh->map) || !mesh->journal) {
        neighbours_finish(mesh);
        map_finish(mesh);
        journal_destroy(mesh->journal);
        free(mesh);
        return NULL;
    }
    identity_init(&mesh->self, options->device_seed);
    memcpy(mesh->name, options->name ? options->name : "",
           length < MESH_NAME_MAX ? length : MESH_NAME_MAX);
    mesh->random = options->random;
    mesh->random_context = options->random_context;
    mesh->document_fetch_max = options->document_fetch_max;
    mesh->store_max = options->store_max;
    mesh->now_us = options->now_us;
    mesh->loading = true;
    return mesh;
}

void mesh_destroy(Mesh *mesh) {
    if (!mesh) {
        return;
    }
    neighbours_finish(mesh);
    drafts_finish(mesh);
    library_finish(mesh);
    sync_finish(mesh);
    admission_finish(mesh);
    reach_finish(mesh);
    company_finish(mesh);
    map_finish(mesh);
    live_finish(mesh);
    feed_finish(mesh);
    streams_finish(mesh);
    for (size_t i = mesh->pending_head; i < mesh->pending_count; i++) {
        free(mesh->pending[i].bytes);
        free(mesh->pending[i].text);
    }
    free(mesh->pending);
    meeting_finish(&mesh->meeting);
    budget_finish(&mesh->budget);
    journal_destroy(mesh->journal);
    effects_finish(&mesh->effects);
    identity_finish(&mesh->self);
    sodium_memzero(mesh, sizeof *mesh);
    free(mesh);
}

/* ---- effects ---- */

void core_random(Mesh *mesh, void *ret_bytes, size_t length) {
    mesh->random(mesh->random_context, ret_bytes, length);
}

void core_notify(Mesh *mesh, MeshNotice notice, const MeshHash *hash, const MeshKey *key) {
    MeshEffect effect = {.kind = MESH_EFFECT_NOTIFY, .notify = {.notice = notice}};

    if (mesh->loading) {
        return;
    }
    if (hash) {
        effect.notify.hash = *hash;
    }
    if (key) {
        effect.notify.key = *key;
    }
    effects_add(&mesh->effects, &effect, BYTES_NONE, BYTES_NONE);
}

void core_notify_peer(Mesh *mesh, const MeshKey *key, MeshEnd end) {
    MeshEffect effect = {.kind = MESH_EFFECT_NOTIFY,
                         .notify = {.notice = MESH_NOTICE_PEER, .key = *key, .end = end}};

    if (!mesh->loading) {
        effects_add(&mesh->effects, &effect, BYTES_NONE, BYTES_NONE);
    }
}

void core_done(Mesh *mesh, uint64_t tag, MeshError error, const MeshHash *hash, const char *text) {
    MeshEffect effect = {.kind = MESH_EFFECT_DONE, .done = {.tag = tag, .error = error}};

    if (hash && !error) {
        effect.done.hash = *hash;
    }
    effects_add(&mesh->effects, &effect, BYTES_AT(text, text ? strlen(text) + 1 : 0), BYTES_NONE);
}

/* ---- the meeting ---- */

Member *core_self(Mesh *mesh) {
    return core_member(mesh, &mesh->self.key);
}

Member *core_member(Mesh *mesh, const MeshKey *key) {
    Member *member = roster_find(&mesh->meeting.roster, key);

    return member && !member->expelled ? member : NULL;
}

bool core_is_relay(Mesh *mesh, const MeshKey *key) {
    const Member *member = core_member(mesh, key);

    return member && member->role == MESH_ROLE_RELAY;
}

static MeetingChange fold(Mesh *mesh, const Record *record) {
    const Chain *chain = journal_chain(mesh->journal, record->chain);
    MeetingChange change = {0};
    Entry entry;
    MeshError error = entry_read_kept(record->bytes, record->length, &entry);

    assert(!error);
    if (!error) {
        change = meeting_fold(&mesh->meeting, &entry, record->height, chain->tag,
                              journal_is_cut(mesh->journal, record));
    }
    return change;
}

static void find_psk(Mesh *mesh) {
    const Record *first = journal_record(mesh->journal, 0);
    const EpochKey *key;
    Entry entry;

    if (mesh->has_psk || !first || entry_read_kept(first->bytes, first->length, &entry)) {
        return;
    }
    key = meeting_key(&mesh->meeting, entry.key_id);
    if (key) {
        domain_derive(mesh->psk, sizeof mesh->psk, "member psk", key->key, BYTES_NONE, BYTES_NONE);
        mesh->has_psk = true;
    }
}

void core_learn_key(Mesh *mesh, const uint8_t bytes[32]) {
    uint8_t word[sizeof CORE_WORD_KEY - 1 + ENTRY_KEY_ID_SIZE];
    EpochKey key;

    if (mesh->relay || !meeting_add_key(&mesh->meeting, bytes)) {
        return;
    }
    epoch_key_init(&key, bytes);
    memcpy(word, CORE_WORD_KEY, sizeof CORE_WORD_KEY - 1);
    memcpy(word + sizeof CORE_WORD_KEY - 1, key.id, sizeof key.id);
    if (!mesh->loading) {
        core_persist(mesh, MESH_ITEM_STATE, BYTES_OF(word), BYTES_AT(bytes, 32),
                     (Pending){.kind = PENDING_STATE});
    }
    sodium_memzero(&key, sizeof key);
    if (journal_count(mesh->journal) > 0) {
        meeting_refold(&mesh->meeting, mesh->journal);
        find_psk(mesh);
        library_update(mesh);
        live_epoch_changed(mesh);
        streams_epoch_changed(mesh);
        admission_update(mesh); /* whoever asked meanwhile may be named now */
        core_notify(mesh, MESH_NOTICE_MEETING, NULL, NULL);
    }
}

/* The links of the expelled end soon, all of them when it is this node. */
static void leave_expelled(Mesh *mesh) {
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);
        const Member *member =
            neighbour ? roster_find(&mesh->meeting.roster, &neighbour->key) : NULL;

        if (neighbour && neighbour->leave_us == UINT64_MAX &&
            (mesh->status == MESH_STATUS_EXPELLED || (member && member->expelled))) {
            neighbour->leave_us = mesh->now_us + LEAVE_US;
        }
    }
}

/* One who was expelled by this entry is told so by it, the last that it is told. */
static void tell_expelled(Mesh *mesh, const Record *record, const MeshKey *key) {
    const Member *member = roster_find(&mesh->meeting.roster, key);
    const Neighbour *neighbour = member && member->expelled ? neighbour_find(mesh, key) : NULL;

    if (neighbour && neighbour->leave_us == UINT64_MAX) {
        sync_tell(mesh, neighbour_slot(mesh, neighbour), record);
    }
}

void core_roster_changed(Mesh *mesh) {
    const Member *self = roster_find(&mesh->meeting.roster, &mesh->self.key);

    if (mesh->status == MESH_STATUS_NEW && self && !self->expelled) {
        mesh->status = MESH_STATUS_MEMBER;
        core_notify(mesh, MESH_NOTICE_MEETING, NULL, NULL);
    } else if ((mesh->status == MESH_STATUS_NEW || mesh->status == MESH_STATUS_MEMBER) && self &&
               self->expelled) {
        mesh->status = MESH_STATUS_EXPELLED;
        core_notify(mesh, MESH_NOTICE_EXPELLED, NULL, &mesh->self.key);
    }
    leave_expelled(mesh);
    company_changed(mesh);
    map_roster_changed(mesh);
    admission_update(mesh);
    neighbours_greet(mesh);
    live_epoch_changed(mesh);
    streams_epoch_changed(mesh);
    streams_roster_changed(mesh);
}

static bool allows(void *context, const Entry *entry) {
    return meeting_allows(context, entry);
}

/* What the meeting is decided by goes before what is said in it. */
static bool is_urgent(const Record *record, const MeetingChange *change) {
    Entry entry;

    return (change->any &&
            (change->notice == MESH_NOTICE_MOTION || change->notice == MESH_NOTICE_HAND)) ||
           (!entry_read_kept(record->bytes, record->length, &entry) && entry.public_act.length > 0);
}

static void tell_change(Mesh *mesh, const MeetingChange *change) {
    if (change->any) {
        core_notify(mesh, change->notice, &change->hash, &change->key);
    }
}

void core_apply(Mesh *mesh) {
    bool roster = false;
    bool again = false;
    bool forked = false;
    bool documents = false;
    const Record *record;

    while ((record = journal_apply_next(mesh->journal, allows, &mesh->meeting, &forked,
                                        &mesh->counters.refused))) {
        const Chain *chain = journal_chain(mesh->journal, record->chain);
        bool own = !memcmp(chain->tag, mesh->author.tag, JOURNAL_TAG_SIZE) && mesh->author.begun;
        MeetingChange change = fold(mesh, record);

        again |= forked || change.refold;
        if (forked) {
            core_notify(mesh, MESH_NOTICE_FORK, NULL, &chain->author);
        }
        find_psk(mesh);
        if (is_urgent(record, &change)) {
            journal_hurry(mesh->journal, record);
        }
        sync_applied(mesh, record, own);
        tell_change(mesh, &change);
        if (change.any && change.notice == MESH_NOTICE_MEMBER) {
            tell_expelled(mesh, record, &change.key);
        }
        documents |= change.any && change.notice == MESH_NOTICE_DOCUMENT;
        roster |= change.any &&
                  (change.notice == MESH_NOTICE_MEMBER || change.notice == MESH_NOTICE_MEETING);
    }
    if (again) {
        meeting_refold(&mesh->meeting, mesh->journal);
        core_notify(mesh, MESH_NOTICE_MEETING, NULL, NULL);
    }
    if (documents || again) {
        library_update(mesh);
    }
    if ((roster || again) && !mesh->loading) {
        core_roster_changed(mesh);
    }
}

/* ---- steps ---- */

static MeshError dispatch(Mesh *mesh, const MeshEvent *event) {
    switch (event->kind) {
    case MESH_EVENT_TIMEOUT:
        return MESH_OK;
    case MESH_EVENT_DATAGRAM:
        return neighbours_datagram(mesh, &event->datagram.path,
                                   BYTES_AT(event->datagram.bytes, event->datagram.length));
    case MESH_EVENT_ADDRESSES:
        reach_own(mesh, event->addresses.paths, event->addresses.count);
        return MESH_OK;
    case MESH_EVENT_ICE_OFFER:
        upgrade_offer_gathered(mesh, event->ice.agent, event->ice.offer);
        return MESH_OK;
    case MESH_EVENT_ICE_UP:
    case MESH_EVENT_ICE_DOWN:
        upgrade_agent_state(mesh, event->ice.agent, event->kind == MESH_EVENT_ICE_UP);
        return MESH_OK;
    case MESH_EVENT_LOADED:
        return kept_load(mesh, &event->item);
    case MESH_EVENT_LOADED_END:
        kept_loaded(mesh);
        return MESH_OK;
    case MESH_EVENT_STORED:
        kept_stored(mesh, event->stored.token);
        return MESH_OK;
    case MESH_EVENT_STORE_FAILED:
        kept_failed(mesh, event->stored.token);
        return MESH_OK;
    case MESH_EVENT_FETCHED:
        library_fetched(mesh, event->stored.token, event->stored.bytes);
        return MESH_OK;
    case MESH_EVENT_INTENT:
        intent_step(mesh, event->intent);
        return MESH_OK;
    case MESH_EVENT_FRAME:
        return live_frame(mesh, &event->frame);
    case MESH_EVENT_WAKE:
        route_wake(mesh);
        reach_soon(mesh);
        return MESH_OK;
    case MESH_EVENT_LEAVE:
        uplink_flush(mesh); /* what may still leave does so before the goodbye */
        neighbours_leave(mesh);
        return MESH_OK;
    }
    return MESH_ERROR_INVALID;
}

MeshError mesh_step(Mesh *mesh, const MeshEvent *event) {
    MeshError error;

    if (event->now_us > mesh->now_us) {
        mesh->now_us = event->now_us;
    }
    mesh->now_s = event->now_s;
    error = dispatch(mesh, event);
    if (!mesh->loading) {
        admission_timeout(mesh);
        hush_timeout(mesh);
        company_timeout(mesh);
        sync_timeout(mesh);
        serve_send(mesh);
        library_step(mesh);
        due_timeout(mesh);
        map_timeout(mesh);
        streams_timeout(mesh);
        uplink_flush(mesh);
        reach_seek(mesh); /* last: on a slow line a knock waits long behind hails */
    }
    due_settle(mesh);
    return error;
}

bool mesh_next_effect(Mesh *mesh, MeshEffect *ret_effect) {
    return effects_next(&mesh->effects, ret_effect);
}

uint64_t mesh_deadline_us(const Mesh *mesh) {
    uint64_t deadlines[] = {
        due_deadline_us(mesh),     reach_deadline_us(mesh),     sync_deadline_us(mesh),
        library_deadline_us(mesh), admission_deadline_us(mesh), map_deadline_us(mesh),
        streams_deadline_us(mesh), company_deadline_us(mesh),   hush_deadline_us(mesh)};
    uint64_t least = UINT64_MAX;

    for (size_t i = 0; !mesh->loading && i < sizeof deadlines / sizeof *deadlines; i++) {
        least = deadlines[i] < least ? deadlines[i] : least;
    }
    return least;
}
