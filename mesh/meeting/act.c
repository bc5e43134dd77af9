/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/meeting/act.h"

#include <string.h>

#include "mesh/coder.h"
#include "mesh/meeting/voice.h"

static void write_bytes(BytesWriter *writer, Bytes text) {
    coder_write_text(writer, (const char *)text.data, text.length);
}

static size_t finished(const BytesWriter *writer) {
    return writer->failed ? 0 : bytes_written(writer);
}

/* A number that must not be larger, so that each value has one encoding. */
static uint64_t read_uint(BytesReader *reader, uint64_t largest) {
    uint64_t value = coder_read_uint(reader);

    if (value > largest) {
        reader->failed = true;
        return 0;
    }
    return value;
}

/* ---- public ---- */

static void write_expel(BytesWriter *writer, const PublicAct *act) {
    coder_write_bytes(writer, act->expel.key.bytes, act->expel.has_key ? MESH_KEY_SIZE : 0);
    coder_write_uint(writer, act->expel.all_tickets);
    coder_write_bytes(writer, act->expel.ticket, ACT_TICKET_ID_SIZE);
    coder_write_array(writer, act->expel.cut_count * 2);
    for (size_t i = 0; i < act->expel.cut_count; i++) {
        coder_write_bytes(writer, act->expel.cuts[i].tag, JOURNAL_TAG_SIZE);
        coder_write_uint(writer, act->expel.cuts[i].count);
    }
    coder_write_bytes(writer, act->expel.epoch_key_id,
                      act->expel.has_epoch ? ENTRY_KEY_ID_SIZE : 0);
}

size_t act_write_public(const PublicAct *act, uint8_t *ret_bytes) {
    BytesWriter writer = bytes_writer(ret_bytes, MESH_ENTRY_MAX);

    switch (act->kind) {
    case ACT_GENESIS:
        coder_write_array(&writer, 2);
        coder_write_uint(&writer, act->kind);
        write_bytes(&writer, act->genesis.profile);
        break;
    case ACT_INVITE:
        coder_write_array(&writer, 6);
        coder_write_uint(&writer, act->kind);
        coder_write_bytes(&writer, act->invite.ticket, ACT_TICKET_ID_SIZE);
        coder_write_bytes(&writer, act->invite.public_key, 32);
        coder_write_uint(&writer, act->invite.role);
        coder_write_uint(&writer, act->invite.uses);
        coder_write_uint(&writer, act->invite.expires_at);
        break;
    case ACT_ADMIT:
        coder_write_array(&writer, 4);
        coder_write_uint(&writer, act->kind);
        coder_write_bytes(&writer, act->admit.key.bytes, MESH_KEY_SIZE);
        coder_write_bytes(&writer, act->admit.ticket, ACT_TICKET_ID_SIZE);
        coder_write_bytes(&writer, act->admit.proof, DOMAIN_SIGNATURE_SIZE);
        break;
    case ACT_EXPEL:
        coder_write_array(&writer, 6);
        coder_write_uint(&writer, act->kind);
        write_expel(&writer, act);
        break;
    default:
        return 0;
    }
    return finished(&writer);
}

static void read_expel(BytesReader *reader, PublicAct *act) {
    Bytes key = coder_read_bytes(reader);
    Bytes epoch;
    size_t cuts;

    if (key.length == MESH_KEY_SIZE) {
        act->expel.has_key = true;
        memcpy(act->expel.key.bytes, key.data, MESH_KEY_SIZE);
    } else if (key.length != 0) {
        reader->failed = true;
    }
    act->expel.all_tickets = read_uint(reader, 1);
    coder_read_fixed(reader, act->expel.ticket, ACT_TICKET_ID_SIZE);
    cuts = coder_read_array(reader);
    if (cuts % 2 || cuts / 2 > MESH_CUTS_MAX) {
        reader->failed = true;
    }
    act->expel.cut_count = cuts / 2;
    for (size_t i = 0; !reader->failed && i < act->expel.cut_count; i++) {
        coder_read_fixed(reader, act->expel.cuts[i].tag, JOURNAL_TAG_SIZE);
        act->expel.cuts[i].count = coder_read_uint(reader);
    }
    epoch = coder_read_bytes(reader);
    if (epoch.length == ENTRY_KEY_ID_SIZE) {
        act->expel.has_epoch = true;
        memcpy(act->expel.epoch_key_id, epoch.data, ENTRY_KEY_ID_SIZE);
    } else if (epoch.length != 0) {
        reader->failed = true;
    }
}

MeshError act_read_public(Bytes bytes, PublicAct *ret_act) {
    BytesReader reader = bytes_reader(bytes.data, bytes.length);
    PublicAct act = {.kind = ACT_NONE};

    if (bytes.length == 0) {
        *ret_act = act;
        return MESH_OK;
    }
    static const size_t fields[] = {
        [ACT_GENESIS] = 2, [ACT_INVITE] = 6, [ACT_ADMIT] = 4, [ACT_EXPEL] = 6};
    size_t count = coder_read_array(&reader);
    uint64_t kind = coder_read_uint(&reader);

    if (reader.failed || kind < ACT_GENESIS || kind > ACT_EXPEL || fields[kind] != count) {
        return MESH_ERROR_MALFORMED;
    }
    act.kind = (ActKind)kind;
    switch (act.kind) {
    case ACT_GENESIS:
        act.genesis.profile = coder_read_text(&reader);
        break;
    case ACT_INVITE:
        coder_read_fixed(&reader, act.invite.ticket, ACT_TICKET_ID_SIZE);
        coder_read_fixed(&reader, act.invite.public_key, 32);
        act.invite.role = (MeshRole)read_uint(&reader, MESH_ROLE_RELAY);
        act.invite.uses = (uint32_t)read_uint(&reader, UINT32_MAX);
        act.invite.expires_at = coder_read_uint(&reader);
        if (act.invite.role < MESH_ROLE_MEMBER) {
            reader.failed = true;
        }
        break;
    case ACT_ADMIT:
        coder_read_fixed(&reader, act.admit.key.bytes, MESH_KEY_SIZE);
        coder_read_fixed(&reader, act.admit.ticket, ACT_TICKET_ID_SIZE);
        coder_read_fixed(&reader, act.admit.proof, DOMAIN_SIGNATURE_SIZE);
        break;
    default:
        read_expel(&reader, &act);
        break;
    }
    if (!bytes_done(&reader)) {
        return MESH_ERROR_MALFORMED;
    }
    *ret_act = act;
    return MESH_OK;
}

/* ---- sealed ---- */

static void write_motion(BytesWriter *writer, const SealedAct *act) {
    write_bytes(writer, act->motion.text);
    coder_write_array(writer, act->motion.choice_count);
    for (size_t i = 0; i < act->motion.choice_count; i++) {
        write_bytes(writer, act->motion.choices[i]);
    }
    coder_write_bytes(writer, act->motion.voters, act->motion.voter_count * ACT_VOTER_SIZE);
}

/* Items of the array that a sealed act is; 0: no act this version knows. */
static size_t sealed_fields(uint64_t kind) {
    switch (kind) {
    case ACT_TITLE:
    case ACT_TICKET:
    case ACT_NAME:
    case ACT_MESSAGE:
        return 3;
    case ACT_BALLOT:
    case ACT_CLOSE:
    case ACT_HAND:
        return 4;
    case ACT_MOTION:
        return 5;
    case ACT_DOCUMENT:
        return 7;
    case ACT_VOICE:
        return 8;
    default:
        return 0;
    }
}

static void write_voice(BytesWriter *writer, const SealedAct *act) {
    const MeshVoicePart *part = &act->voice.part;

    coder_write_bytes(writer, act->voice.message.bytes, part->number > 0 ? MESH_HASH_SIZE : 0);
    coder_write_uint(writer, part->number);
    coder_write_uint(writer, part->last);
    coder_write_uint(writer, part->codec);
    coder_write_uint(writer, part->from_ms);
    coder_write_bytes(writer, part->frames.data, part->frames.length);
}

size_t act_write_sealed(const SealedAct *act, uint8_t *ret_bytes) {
    BytesWriter writer = bytes_writer(ret_bytes, MESH_ENTRY_MAX);

    coder_write_array(&writer, sealed_fields(act->kind));
    coder_write_uint(&writer, act->kind);
    coder_write_uint(&writer, act->at_ms);
    switch (act->kind) {
    case ACT_TITLE:
    case ACT_NAME:
    case ACT_MESSAGE:
        write_bytes(&writer, act->text);
        break;
    case ACT_TICKET:
        coder_write_bytes(&writer, act->psk, sizeof act->psk);
        break;
    case ACT_DOCUMENT:
        coder_write_bytes(&writer, act->document.id, ACT_DOCUMENT_ID_SIZE);
        coder_write_bytes(&writer, act->document.root.bytes, MESH_HASH_SIZE);
        coder_write_uint(&writer, act->document.size);
        coder_write_bytes(&writer, act->document.key, sizeof act->document.key);
        write_bytes(&writer, act->document.name);
        break;
    case ACT_MOTION:
        write_motion(&writer, act);
        break;
    case ACT_BALLOT:
        coder_write_bytes(&writer, act->ballot.motion.bytes, MESH_HASH_SIZE);
        coder_write_uint(&writer, act->ballot.choice);
        break;
    case ACT_CLOSE:
        coder_write_bytes(&writer, act->close.motion.bytes, MESH_HASH_SIZE);
        coder_write_bytes(&writer, act->close.ballots, act->close.ballot_count * ACT_BALLOT_SIZE);
        break;
    case ACT_VOICE:
        write_voice(&writer, act);
        break;
    case ACT_HAND:
        coder_write_uint(&writer, act->hand.up);
        coder_write_bytes(&writer, act->hand.member.bytes, act->hand.other ? MESH_KEY_SIZE : 0);
        break;
    default:
        return 0;
    }
    return finished(&writer);
}

/* A byte string that is a list of up to MESH_MEMBERS_MAX items of one size. */
static size_t read_items(BytesReader *reader, size_t size, uint8_t *ret_items) {
    Bytes items = coder_read_bytes(reader);

    if (items.length % size || items.length / size > MESH_MEMBERS_MAX) {
        reader->failed = true;
        return 0;
    }
    if (items.length > 0) {
        memcpy(ret_items, items.data, items.length);
    }
    return items.length / size;
}

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* Whoever votes names a choice ignoring case: two that differ in nothing else could not be told
 * apart. */
static bool is_same_choice(Bytes a, Bytes b) {
    if (a.length != b.length) {
        return false;
    }
    for (size_t i = 0; i < a.length; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

static void read_motion(BytesReader *reader, SealedAct *act) {
    act->motion.text = coder_read_text(reader);
    act->motion.choice_count = coder_read_array(reader);
    if (act->motion.text.length > MESH_TEXT_MAX || act->motion.choice_count < 2 ||
        act->motion.choice_count > MESH_CHOICES_MAX) {
        reader->failed = true;
    }
    for (size_t i = 0; !reader->failed && i < act->motion.choice_count; i++) {
        Bytes choice = coder_read_text(reader);

        if (choice.length == 0 || choice.length > MESH_CHOICE_MAX) {
            reader->failed = true;
        }
        for (size_t other = 0; !reader->failed && other < i; other++) {
            reader->failed = is_same_choice(choice, act->motion.choices[other]);
        }
        act->motion.choices[i] = choice;
    }
    act->motion.voter_count = read_items(reader, ACT_VOTER_SIZE, act->motion.voters[0]);
}

static void read_close(BytesReader *reader, SealedAct *act) {
    coder_read_fixed(reader, act->close.motion.bytes, MESH_HASH_SIZE);
    act->close.ballot_count = read_items(reader, ACT_BALLOT_SIZE, act->close.ballots[0]);
    for (size_t i = 1; i < act->close.ballot_count; i++) {
        if (memcmp(act->close.ballots[i - 1], act->close.ballots[i], ACT_BALLOT_SIZE) >= 0) {
            reader->failed = true;
        }
    }
}

static void read_voice(BytesReader *reader, SealedAct *act) {
    MeshVoicePart *part = &act->voice.part;
    Bytes message = coder_read_bytes(reader);

    part->number = (uint32_t)read_uint(reader, MESH_VOICE_PARTS_MAX - 1);
    part->last = read_uint(reader, 1);
    part->codec = (uint8_t)read_uint(reader, MESH_VOICE_CODEC_MAX);
    part->from_ms = (uint32_t)read_uint(reader, MESH_VOICE_MS_MAX);
    part->frames = coder_read_bytes(reader);
    act->voice.message = (MeshHash){{0}};
    if (message.length != (part->number > 0 ? MESH_HASH_SIZE : 0) || !voice_part_is_valid(part)) {
        reader->failed = true;
    } else if (message.length > 0) {
        memcpy(act->voice.message.bytes, message.data, MESH_HASH_SIZE);
    }
}

/* Nobody raises another's hand. */
static void read_hand(BytesReader *reader, SealedAct *act) {
    Bytes member;

    act->hand.up = read_uint(reader, 1);
    member = coder_read_bytes(reader);
    act->hand.other = member.length > 0;
    if (act->hand.other && (member.length != MESH_KEY_SIZE || act->hand.up)) {
        reader->failed = true;
    } else if (act->hand.other) {
        memcpy(act->hand.member.bytes, member.data, MESH_KEY_SIZE);
    }
}

MeshError act_read_sealed(Bytes bytes, SealedAct *ret_act) {
    BytesReader reader = bytes_reader(bytes.data, bytes.length);
    size_t fields = coder_read_array(&reader);
    uint64_t kind = coder_read_uint(&reader);

    ret_act->kind = ACT_NONE;
    ret_act->at_ms = coder_read_uint(&reader);
    if (reader.failed || fields < 3 || (sealed_fields(kind) > 0 && sealed_fields(kind) != fields)) {
        return MESH_ERROR_MALFORMED;
    }
    switch (kind) {
    case ACT_TITLE:
    case ACT_NAME:
    case ACT_MESSAGE:
        ret_act->text = coder_read_text(&reader);
        break;
    case ACT_TICKET:
        coder_read_fixed(&reader, ret_act->psk, sizeof ret_act->psk);
        break;
    case ACT_DOCUMENT:
        coder_read_fixed(&reader, ret_act->document.id, ACT_DOCUMENT_ID_SIZE);
        coder_read_fixed(&reader, ret_act->document.root.bytes, MESH_HASH_SIZE);
        ret_act->document.size = coder_read_uint(&reader);
        coder_read_fixed(&reader, ret_act->document.key, sizeof ret_act->document.key);
        ret_act->document.name = coder_read_text(&reader);
        break;
    case ACT_MOTION:
        read_motion(&reader, ret_act);
        break;
    case ACT_BALLOT:
        coder_read_fixed(&reader, ret_act->ballot.motion.bytes, MESH_HASH_SIZE);
        ret_act->ballot.choice = (uint32_t)read_uint(&reader, UINT32_MAX);
        break;
    case ACT_CLOSE:
        read_close(&reader, ret_act);
        break;
    case ACT_VOICE:
        read_voice(&reader, ret_act);
        break;
    case ACT_HAND:
        read_hand(&reader, ret_act);
        break;
    default:
        return MESH_OK;
    }
    if (!bytes_done(&reader)) {
        return MESH_ERROR_MALFORMED;
    }
    ret_act->kind = (ActKind)kind;
    return MESH_OK;
}
