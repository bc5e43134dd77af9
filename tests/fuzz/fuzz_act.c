/* SPDX-License-Identifier: MPL-2.0 */
/* Acts as bytes (what is read has one encoding), and whole meetings made of any acts, by founder,
 * member and guest (the first byte tells which): folded as they come and folded again, they say
 * the same. */
#include <sodium.h>

#include "mesh/meeting/meeting.h"
#include "tests/fuzz/fuzz.h"

#define PEOPLE 3

static const uint8_t EPOCH_KEY[32] = "the key of the epoch, 32 bytes.";
static Identity people[PEOPLE], tickets[PEOPLE];

typedef struct {
    Meeting meeting;
    Journal *journal;
    uint64_t sequences[PEOPLE];
    MeshHash ends[PEOPLE];
    bool refold;
} World;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    FUZZ_CHECK(sodium_init() >= 0);
    for (uint8_t i = 0; i < PEOPLE; i++) {
        identity_init(&people[i], (uint8_t[MESH_SEED_SIZE]){i, 1});
        identity_init(&tickets[i], (uint8_t[MESH_SEED_SIZE]){i, 2});
    }
    return 0;
}

static void read_acts(Bytes bytes) {
    static SealedAct sealed;
    uint8_t again[MESH_ENTRY_MAX];
    PublicAct public;

    if (act_read_public(bytes, &public) == MESH_OK && public.kind != ACT_NONE) {
        FUZZ_CHECK(act_write_public(&public, again) == bytes.length);
        FUZZ_CHECK(!memcmp(again, bytes.data, bytes.length));
    }
    if (bytes.length <= MESH_ENTRY_PLAIN_MAX && act_read_sealed(bytes, &sealed) == MESH_OK &&
        sealed.kind != ACT_NONE) {
        FUZZ_CHECK(act_write_sealed(&sealed, again) == bytes.length);
        FUZZ_CHECK(!memcmp(again, bytes.data, bytes.length));
    }
}

static bool allow(void *context, const Entry *entry) {
    return meeting_allows(context, entry);
}

static void apply(World *world) {
    const Record *record;
    uint64_t refused = 0;
    bool forked;

    while (
        (record = journal_apply_next(world->journal, allow, &world->meeting, &forked, &refused))) {
        MeetingChange change;
        Entry entry;

        FUZZ_CHECK(entry_read(record->bytes, record->length, &entry) == MESH_OK);
        change = meeting_fold(&world->meeting, &entry, record->height,
                              journal_chain(world->journal, record->chain)->tag,
                              journal_is_cut(world->journal, record));
        world->refold = world->refold || forked || change.refold;
    }
}

/* `cites`: the ends of all, as an honest author does, else only its own. */
static void write_entry(World *world, uint8_t person, bool cites, Bytes public_act, Bytes plain) {
    EntryDraft draft = {.meeting = world->sequences[0] > 0 ? &world->meeting.id : NULL,
                        .sequence = world->sequences[person],
                        .previous = world->sequences[person] > 0 ? &world->ends[person] : NULL,
                        .public_act = public_act,
                        .plain = plain,
                        .key = &world->meeting.keys[0]};
    uint8_t bytes[MESH_ENTRY_MAX];
    MeshHash cited[PEOPLE];
    size_t length;
    Entry entry;

    for (uint8_t i = 0; cites && i < PEOPLE; i++) {
        if (world->sequences[i] > 0) {
            cited[draft.cited_count++] = world->ends[i];
        }
    }
    draft.cited = cited;
    if (entry_write(&draft, &people[person], bytes, &length)) {
        return;
    }
    FUZZ_CHECK(entry_read(bytes, length, &entry) == MESH_OK);
    if (!draft.meeting) {
        world->meeting.id = entry.hash;
    }
    if (journal_hold(world->journal, bytes, length) == MESH_OK) {
        world->ends[person] = entry.hash;
        world->sequences[person]++;
    }
    apply(world);
}

static void write_act(World *world, uint8_t person, const PublicAct *act) {
    uint8_t bytes[MESH_ENTRY_MAX];

    write_entry(world, person, true, BYTES_AT(bytes, act_write_public(act, bytes)), BYTES_NONE);
}

static void begin(World *world) {
    PublicAct act = {.kind = ACT_GENESIS, .genesis.profile = BYTES_AT("meeting", 7)};

    write_act(world, 0, &act);
    for (uint8_t i = 1; i < PEOPLE; i++) {
        act = (PublicAct){.kind = ACT_INVITE};
        act.invite.ticket[0] = i;
        memcpy(act.invite.public_key, tickets[i].key.bytes, 32);
        act.invite.role = (MeshRole)i;
        write_act(world, 0, &act);
        act = (PublicAct){.kind = ACT_ADMIT};
        act.admit.key = people[i].key;
        act.admit.ticket[0] = i;
        domain_sign(&tickets[i], "ticket proof", NULL, BYTES_OF(people[i].key.bytes),
                    act.admit.proof);
        write_act(world, 0, &act);
    }
    FUZZ_CHECK(roster_size(&world->meeting.roster) == PEOPLE);
}

/* What must not depend on when it was folded. */
static void digest(const Meeting *meeting, uint8_t ret_digest[32]) {
    crypto_generichash_state state;
    const Motions *motions = &meeting->motions;

    crypto_generichash_init(&state, NULL, 0, 32);
    for (size_t i = 0; i < meeting->message_count; i++) {
        const Message *message = &meeting->messages[i];
        VoiceState voice = voices_state(&meeting->voices, &message->id, &message->author);
        uint32_t said[] = {voice.parts, voice.duration_ms, voice.whole};

        FUZZ_CHECK((voice.parts > 0) == message->voice && voice.duration_ms <= MESH_VOICE_MS_MAX);
        crypto_generichash_update(&state, message->id.bytes, MESH_HASH_SIZE);
        crypto_generichash_update(&state, (const uint8_t *)said, sizeof said);
        for (uint32_t part = 0; part < voice.parts; part++) {
            const VoicePart *found = voices_part(&meeting->voices, &message->id, part);

            crypto_generichash_update(&state, found->place.hash.bytes, MESH_HASH_SIZE);
        }
    }
    for (const Hand *hand = NULL; (hand = hands_next(&meeting->hands, hand));) {
        crypto_generichash_update(&state, hand->member.bytes, MESH_KEY_SIZE);
    }
    for (uint8_t i = 0; i < PEOPLE; i++) {
        const Member *member = roster_find((Roster *)&meeting->roster, &people[i].key);
        uint8_t said[] = {member != NULL, member && member->expelled,
                          member ? (uint8_t)member->role : 0};

        crypto_generichash_update(&state, said, sizeof said);
        crypto_generichash_update(&state, (const uint8_t *)(member ? roster_name(member) : ""),
                                  member ? strlen(roster_name(member)) : 0);
    }
    for (size_t i = 0; i < motions->motion_count; i++) {
        MotionResult result;

        motions_result(motions, &motions->motions[i], &result);
        FUZZ_CHECK(result.counted <= MESH_MEMBERS_MAX);
    }
    crypto_generichash_update(&state, meeting->roster.current_key, ENTRY_KEY_ID_SIZE);
    crypto_generichash_final(&state, ret_digest, 32);
}

/* Each act: who and how, length of the public part, of the sealed part, the parts. */
static void fold_acts(BytesReader reader) {
    World *world = calloc(1, sizeof *world);
    uint8_t before[32], after[32];

    FUZZ_CHECK(world && (world->journal = journal_create()));
    meeting_init(&world->meeting);
    meeting_add_key(&world->meeting, EPOCH_KEY);
    begin(world);
    for (unsigned i = 0; i < 12 && bytes_left(&reader) > 3; i++) {
        uint8_t who = bytes_read_u8(&reader);
        size_t public_length = bytes_read_u8(&reader), plain_length = bytes_read_u8(&reader);
        Bytes public_act = {bytes_read(&reader, public_length), public_length};
        Bytes plain = {bytes_read(&reader, plain_length), plain_length};

        if (!reader.failed) {
            write_entry(world, who % PEOPLE, who / PEOPLE % 2, public_act, plain);
        }
    }
    if (world->refold) {
        FUZZ_CHECK(meeting_refold(&world->meeting, world->journal));
    }
    digest(&world->meeting, before);
    FUZZ_CHECK(meeting_refold(&world->meeting, world->journal));
    digest(&world->meeting, after);
    FUZZ_CHECK(!memcmp(before, after, sizeof before));
    meeting_finish(&world->meeting);
    journal_destroy(world->journal);
    free(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy;

    if (size == 0) {
        return 0;
    }
    copy = fuzz_copy(data + 1, size - 1);
    if (data[0] % 2) {
        fold_acts(bytes_reader(copy, size - 1));
    } else {
        read_acts(BYTES_AT(copy, size - 1));
    }
    free(copy);
    return 0;
}
