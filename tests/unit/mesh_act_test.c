/* SPDX-License-Identifier: MPL-2.0 */
/* Every act there and back, each in its one encoding, and what must be refused. */
#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "mesh/coder.h"
#include "mesh/meeting/act.h"

#define TEXT(text) ((Bytes){.data = (const uint8_t *)(text), .length = sizeof(text) - 1})

static PublicAct public_sample(ActKind kind) {
    PublicAct act;

    memset(&act, 0, sizeof act);
    act.kind = kind;
    if (kind == ACT_GENESIS) {
        act.genesis.profile = TEXT("meeting");
    } else if (kind == ACT_INVITE) {
        act.invite.role = MESH_ROLE_GUEST;
        act.invite.uses = UINT32_MAX;
        act.invite.expires_at = UINT64_MAX;
        memset(act.invite.ticket, 1, sizeof act.invite.ticket);
        memset(act.invite.public_key, 2, sizeof act.invite.public_key);
    } else if (kind == ACT_ADMIT) {
        memset(&act.admit, 3, sizeof act.admit);
    } else if (kind == ACT_EXPEL) {
        act.expel.has_key = true;
        act.expel.all_tickets = true;
        act.expel.has_epoch = true;
        act.expel.cut_count = MESH_CUTS_MAX;
        for (uint64_t i = 0; i < MESH_CUTS_MAX; i++) {
            act.expel.cuts[i].count = UINT64_MAX - i;
        }
    }
    return act;
}

static void sealed_sample(ActKind kind, SealedAct *act) {
    memset(act, 0, sizeof *act);
    act->kind = kind;
    act->at_ms = 1700000000000;
    if (kind == ACT_TITLE || kind == ACT_NAME || kind == ACT_MESSAGE) {
        act->text = TEXT("du texte, é€😀\n");
    } else if (kind == ACT_TICKET) {
        memset(act->psk, 4, sizeof act->psk);
    } else if (kind == ACT_DOCUMENT) {
        act->document.size = UINT64_MAX;
        act->document.name = TEXT("plan.pdf");
    } else if (kind == ACT_MOTION) {
        static char text[MESH_TEXT_MAX];
        static char choices[MESH_CHOICES_MAX][MESH_CHOICE_MAX];

        memset(text, 'a', sizeof text);
        act->motion.text = BYTES_OF(text);
        act->motion.choice_count = MESH_CHOICES_MAX;
        memset(choices, 'b', sizeof choices);
        for (size_t i = 0; i < MESH_CHOICES_MAX; i++) {
            choices[i][0] = (char)('A' + i);
            act->motion.choices[i] = BYTES_OF(choices[i]);
        }
        act->motion.voter_count = MESH_MEMBERS_MAX;
        for (size_t i = 0; i < MESH_MEMBERS_MAX; i++) {
            act->motion.voters[i][0] = (uint8_t)i;
        }
    } else if (kind == ACT_BALLOT) {
        act->ballot.choice = UINT32_MAX;
    } else if (kind == ACT_CLOSE) {
        act->close.ballot_count = MESH_MEMBERS_MAX;
        for (size_t i = 0; i < MESH_MEMBERS_MAX; i++) {
            act->close.ballots[i][0] = (uint8_t)i;
        }
    } else if (kind == ACT_VOICE) {
        /* A frame of 5 bytes, a pause of 70 ms, a frame of 1 byte. */
        static const uint8_t FRAMES[] = {60, 5, 'h', 'e', 'l', 'l', 'o', 0, 0x40, 70, 120, 1, '!'};

        memset(act->voice.message.bytes, 5, MESH_HASH_SIZE);
        act->voice.part = (MeshVoicePart){
            .number = 3, .last = true, .codec = 1, .from_ms = 15000, .frames = BYTES_OF(FRAMES)};
    } else if (kind == ACT_HAND) {
        act->hand.other = true;
        memset(act->hand.member.bytes, 6, MESH_KEY_SIZE);
    }
}

static void test_public(void) {
    for (ActKind kind = ACT_GENESIS; kind <= ACT_EXPEL; kind++) {
        PublicAct act = public_sample(kind), read;
        uint8_t bytes[MESH_ENTRY_MAX], again[MESH_ENTRY_MAX];
        size_t length = act_write_public(&act, bytes);

        g_assert_cmpuint(length, >, 0);
        g_assert_cmpint(act_read_public(BYTES_AT(bytes, length), &read), ==, MESH_OK);
        g_assert_cmpint(read.kind, ==, kind);
        g_assert_cmpmem(again, (int)act_write_public(&read, again), bytes, (int)length);
        for (size_t shorter = 1; shorter < length; shorter++) {
            g_autofree uint8_t *copy = g_memdup2(bytes, shorter);

            g_assert_cmpint(act_read_public(BYTES_AT(copy, shorter), &read), ==,
                            MESH_ERROR_MALFORMED);
        }
        bytes[length] = 0;
        g_assert_cmpint(act_read_public(BYTES_AT(bytes, length + 1), &read), ==,
                        MESH_ERROR_MALFORMED);
    }
}

static void test_sealed(void) {
    for (ActKind kind = ACT_TITLE; kind <= ACT_HAND; kind++) {
        static SealedAct act, read;
        uint8_t bytes[MESH_ENTRY_MAX], again[MESH_ENTRY_MAX];
        size_t length;

        sealed_sample(kind, &act);
        length = act_write_sealed(&act, bytes);
        g_assert_cmpuint(length, >, 0);
        g_assert_cmpuint(length, <=, MESH_ENTRY_PLAIN_MAX);
        g_assert_cmpint(act_read_sealed(BYTES_AT(bytes, length), &read), ==, MESH_OK);
        g_assert_cmpint(read.kind, ==, kind);
        g_assert_cmpuint(read.at_ms, ==, act.at_ms);
        g_assert_cmpmem(again, (int)act_write_sealed(&read, again), bytes, (int)length);
        for (size_t shorter = 0; shorter < length; shorter++) {
            g_autofree uint8_t *copy = g_memdup2(bytes, MAX(shorter, 1));

            g_assert_cmpint(act_read_sealed(BYTES_AT(copy, shorter), &read), ==,
                            MESH_ERROR_MALFORMED);
            g_assert_cmpint(read.kind, ==, ACT_NONE);
        }
        bytes[length] = 0;
        g_assert_cmpint(act_read_sealed(BYTES_AT(bytes, length + 1), &read), ==,
                        MESH_ERROR_MALFORMED);
    }
}

/* Whatever one changed byte makes of an act, it is no second encoding of it. */
static void test_one_encoding(void) {
    for (ActKind kind = ACT_GENESIS; kind <= ACT_HAND; kind++) {
        static SealedAct sealed;
        PublicAct public;
        uint8_t bytes[MESH_ENTRY_MAX], again[MESH_ENTRY_MAX];
        size_t length;

        if (kind > ACT_EXPEL && kind < ACT_TITLE) {
            continue;
        }
        if (kind <= ACT_EXPEL) {
            public = public_sample(kind);
            length = act_write_public(&public, bytes);
        } else {
            sealed_sample(kind, &sealed);
            length = act_write_sealed(&sealed, bytes);
        }
        for (size_t at = 0; at < MIN(length, 400); at++) {
            const uint8_t right = bytes[at];

            for (guint value = 0; value < 256; value++) {
                size_t written = 0;

                bytes[at] = (uint8_t)value;
                if (kind <= ACT_EXPEL && !act_read_public(BYTES_AT(bytes, length), &public)) {
                    written = act_write_public(&public, again);
                } else if (kind > ACT_EXPEL && !act_read_sealed(BYTES_AT(bytes, length), &sealed) &&
                           sealed.kind != ACT_NONE) {
                    written = act_write_sealed(&sealed, again);
                }
                if (written > 0) {
                    g_assert_cmpmem(again, (int)written, bytes, (int)length);
                }
            }
            bytes[at] = right;
        }
    }
}

static void test_none(void) {
    static const uint8_t NEWER[] = {0x83, 0x18, 99, 0, 0}, SHORT[] = {0x82, 0x18, 99, 0};
    PublicAct public;
    static SealedAct sealed;

    g_assert_cmpint(act_read_public(BYTES_NONE, &public), ==, MESH_OK);
    g_assert_cmpint(public.kind, ==, ACT_NONE);
    g_assert_cmpint(act_read_public(BYTES_OF(NEWER), &public), ==, MESH_ERROR_MALFORMED);
    g_assert_cmpint(act_read_sealed(BYTES_NONE, &sealed), ==, MESH_ERROR_MALFORMED);
    g_assert_cmpint(act_read_sealed(BYTES_OF(NEWER), &sealed), ==, MESH_OK);
    g_assert_cmpint(sealed.kind, ==, ACT_NONE);
    g_assert_cmpint(act_read_sealed(BYTES_OF(SHORT), &sealed), ==, MESH_ERROR_MALFORMED);
    public.kind = ACT_TITLE;
    g_assert_cmpuint(act_write_public(&public, (uint8_t[MESH_ENTRY_MAX]){0}), ==, 0);
    sealed.kind = ACT_GENESIS;
    g_assert_cmpuint(act_write_sealed(&sealed, (uint8_t[MESH_ENTRY_MAX]){0}), ==, 0);
}

static MeshError read_motion(const SealedAct *act) {
    static SealedAct read;
    uint8_t bytes[MESH_ENTRY_MAX];

    return act_read_sealed(BYTES_AT(bytes, act_write_sealed(act, bytes)), &read);
}

static void test_motion(void) {
    const Bytes choices[] = {TEXT("pour"), TEXT("contre"), TEXT("abstention")};
    static char text[MESH_TEXT_MAX + 1];
    static SealedAct act;

    act.kind = ACT_MOTION;
    act.motion.text = TEXT("?");
    act.motion.choice_count = 3;
    memcpy(act.motion.choices, choices, sizeof choices);
    g_assert_cmpint(read_motion(&act), ==, MESH_OK);
    act.motion.choices[2] = TEXT("POUR");
    g_assert_cmpint(read_motion(&act), ==, MESH_ERROR_MALFORMED);
    act.motion.choices[2] = TEXT("pour\xc3\xa9");
    g_assert_cmpint(read_motion(&act), ==, MESH_OK);
    act.motion.choices[2] = TEXT("");
    g_assert_cmpint(read_motion(&act), ==, MESH_ERROR_MALFORMED);
    act.motion.choices[2] = TEXT("a choice of more than forty bytes, one more");
    g_assert_cmpint(read_motion(&act), ==, MESH_ERROR_MALFORMED);
    act.motion.choice_count = 1;
    g_assert_cmpint(read_motion(&act), ==, MESH_ERROR_MALFORMED);
    act.motion.choice_count = 2;
    memset(text, 'a', sizeof text);
    act.motion.text = BYTES_OF(text);
    g_assert_cmpint(read_motion(&act), ==, MESH_ERROR_MALFORMED);
}

/* Numbers beyond what their fields hold are not cut down to something valid. */
static void test_numbers(void) {
    static const uint64_t ROLES[] = {0, 5, (uint64_t)1 << 32 | 1};
    static SealedAct sealed;
    PublicAct public;
    uint8_t bytes[MESH_ENTRY_MAX], hash[32] = {0};
    BytesWriter writer;

    for (guint i = 0; i < G_N_ELEMENTS(ROLES) + 1; i++) {
        writer = bytes_writer(bytes, sizeof bytes);
        coder_write_array(&writer, 6);
        coder_write_uint(&writer, ACT_INVITE);
        coder_write_bytes(&writer, hash, ACT_TICKET_ID_SIZE);
        coder_write_bytes(&writer, hash, 32);
        coder_write_uint(&writer, i < G_N_ELEMENTS(ROLES) ? ROLES[i] : 1);
        coder_write_uint(&writer, i < G_N_ELEMENTS(ROLES) ? 1 : (uint64_t)UINT32_MAX + 2);
        coder_write_uint(&writer, 0);
        g_assert_cmpint(act_read_public(BYTES_AT(bytes, bytes_written(&writer)), &public), ==,
                        MESH_ERROR_MALFORMED);
    }
    writer = bytes_writer(bytes, sizeof bytes);
    coder_write_array(&writer, 4);
    coder_write_uint(&writer, ACT_BALLOT);
    coder_write_uint(&writer, 0);
    coder_write_bytes(&writer, hash, 32);
    coder_write_uint(&writer, (uint64_t)UINT32_MAX + 1);
    g_assert_cmpint(act_read_sealed(BYTES_AT(bytes, bytes_written(&writer)), &sealed), ==,
                    MESH_ERROR_MALFORMED);
}

static void test_close_order(void) {
    static SealedAct act, read;
    uint8_t bytes[MESH_ENTRY_MAX];

    act.kind = ACT_CLOSE;
    act.close.ballot_count = 2;
    act.close.ballots[0][0] = 1;
    act.close.ballots[1][0] = 1;
    g_assert_cmpint(act_read_sealed(BYTES_AT(bytes, act_write_sealed(&act, bytes)), &read), ==,
                    MESH_ERROR_MALFORMED);
    act.close.ballots[0][0] = 2;
    g_assert_cmpint(act_read_sealed(BYTES_AT(bytes, act_write_sealed(&act, bytes)), &read), ==,
                    MESH_ERROR_MALFORMED);
    act.close.ballots[1][0] = 3;
    g_assert_cmpint(act_read_sealed(BYTES_AT(bytes, act_write_sealed(&act, bytes)), &read), ==,
                    MESH_OK);
}

/* Nobody raises another's hand, and whose it is has one length. */
static void test_hand(void) {
    static SealedAct act, read;
    uint8_t bytes[MESH_ENTRY_MAX];
    size_t length;

    act.kind = ACT_HAND;
    act.hand.up = true;
    length = act_write_sealed(&act, bytes);
    g_assert_cmpint(act_read_sealed(BYTES_AT(bytes, length), &read), ==, MESH_OK);
    g_assert_true(read.hand.up && !read.hand.other);
    act.hand.other = true;
    length = act_write_sealed(&act, bytes);
    g_assert_cmpint(act_read_sealed(BYTES_AT(bytes, length), &read), ==, MESH_ERROR_MALFORMED);
    act.hand.up = false;
    length = act_write_sealed(&act, bytes);
    g_assert_cmpint(act_read_sealed(BYTES_AT(bytes, length), &read), ==, MESH_OK);
    g_assert_true(!read.hand.up && read.hand.other);
    bytes[length - MESH_KEY_SIZE - 1]--;
    g_assert_cmpint(act_read_sealed(BYTES_AT(bytes, length - 1), &read), ==, MESH_ERROR_MALFORMED);
}

static MeshError read_voice(MeshVoicePart part) {
    static SealedAct act, read;
    uint8_t bytes[MESH_ENTRY_MAX];

    act.kind = ACT_VOICE;
    act.voice.part = part;
    return act_read_sealed(BYTES_AT(bytes, act_write_sealed(&act, bytes)), &read);
}

static MeshError read_frames(const char *hex) {
    uint8_t frames[64];
    size_t length = 0;

    sodium_hex2bin(frames, sizeof frames, hex, strlen(hex), " ", &length, NULL);
    return read_voice((MeshVoicePart){.codec = 1, .frames = BYTES_AT(frames, length)});
}

static void test_voice(void) {
    static uint8_t frames[MESH_VOICE_FRAMES_MAX + 3];
    const MeshVoicePart good = {.codec = 1, .frames = BYTES_AT("\74\1x", 3)};
    MeshVoicePart bad[10];

    g_assert_cmpint(read_voice(good), ==, MESH_OK);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        bad[i] = good;
    }
    for (guint i = 0; i + 2 < sizeof frames; i += 3) {
        memcpy(frames + i, "\1\1x", 3);
    }
    bad[0].codec = 0;
    bad[1].codec = 16;
    bad[2].from_ms = 1; /* of part 0 */
    bad[3].number = MESH_VOICE_PARTS_MAX;
    bad[4].number = 1;
    bad[4].from_ms = MESH_VOICE_MS_MAX - 59; /* ends 1 ms beyond */
    bad[5].frames.length = 0;
    bad[6].frames.length = 2;
    bad[7].number = 1;
    bad[7].from_ms = MESH_VOICE_MS_MAX + 1;
    bad[8].frames = BYTES_AT(frames, MESH_VOICE_FRAMES_MAX / 3 * 3 + 3);
    bad[9].frames = BYTES_AT("\171\1x", 3); /* of 121 ms */
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(read_voice(bad[i]), ==, MESH_ERROR_MALFORMED);
    }
    bad[4].from_ms--;
    g_assert_cmpint(read_voice(bad[4]), ==, MESH_OK);
    bad[8].frames.length -= 3;
    g_assert_cmpint(read_voice(bad[8]), ==, MESH_OK);
    bad[9].frames = BYTES_AT("\170\1x", 3);
    g_assert_cmpint(read_voice(bad[9]), ==, MESH_OK);
}

static void test_voice_frames(void) {
    static const char *const GOOD[] = {"3c01ff", "3c02ffff 780100", "0001 3c01ff", "004040 3c01ff",
                                       "3c01ff 0005 1401ff"};
    static const char *const BAD[] = {
        "00",                 /* a pause, and nothing */
        "0001",               /* before nothing */
        "0000 3c01ff",        /* of no length */
        "0001 0001 3c01ff",   /* two of them */
        "3c01ff 0005",        /* behind all */
        "3c4001ff",           /* a length longer than it need be */
        "004001 3c01ff",      /* a pause the same */
        "3c02ff",             /* a frame cut off */
        "3c00",               /* a frame of nothing */
        "008001d4c1 3c01ff",  /* a pause of more than a message */
        "3cc0",               /* a length cut off */
        "3cffffffffffffffff", /* longer than anything */
    };

    for (guint i = 0; i < G_N_ELEMENTS(GOOD); i++) {
        g_assert_cmpint(read_frames(GOOD[i]), ==, MESH_OK);
    }
    for (guint i = 0; i < G_N_ELEMENTS(BAD); i++) {
        g_assert_cmpint(read_frames(BAD[i]), ==, MESH_ERROR_MALFORMED);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/act/public", test_public);
    g_test_add_func("/mesh/act/sealed", test_sealed);
    g_test_add_func("/mesh/act/one-encoding", test_one_encoding);
    g_test_add_func("/mesh/act/none", test_none);
    g_test_add_func("/mesh/act/motion", test_motion);
    g_test_add_func("/mesh/act/numbers", test_numbers);
    g_test_add_func("/mesh/act/close-order", test_close_order);
    g_test_add_func("/mesh/act/voice", test_voice);
    g_test_add_func("/mesh/act/hand", test_hand);
    g_test_add_func("/mesh/act/voice-frames", test_voice_frames);
    return g_test_run();
}
