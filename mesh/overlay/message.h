/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The messages that a link carries: the first byte is the kind, mesh/README.md has the rest.
 * It owns the numbers. It never changes one: a new meaning takes a new number.
 */
#pragma once

typedef enum {
    MESSAGE_JOIN = 1,        /* a joiner: proof 64, name */
    MESSAGE_WELCOME = 2,     /* to a joiner: meeting id 32, epoch keys 32 each */
    MESSAGE_REFUSE = 3,      /* to a joiner: reason u8 */
    MESSAGE_DIGEST = 4,      /* digest of the clock 16 */
    MESSAGE_CLOCK = 5,       /* lines: tag 8, count varint, head 8 */
    MESSAGE_PULL = 6,        /* ranges: tag 8, from varint, until varint */
    MESSAGE_PULL_HASH = 7,   /* hashes 32 each */
    MESSAGE_ENTRY = 8,       /* one entry */
    MESSAGE_BRIEF = 38,      /* one, to who has the one before it in its chain: see brief.h */
    MESSAGE_BRIEF_WANT = 39, /* tag 8, sequence varint: the one before it is not here */
    MESSAGE_KEY_WANT = 9,    /* id of an epoch key 16 */
    MESSAGE_KEY = 10,        /* an epoch key 32 */
    MESSAGE_ADDRESSES = 11,  /* seen address or 0, then own addresses */
    /* 12, 13, 14 and 16 meant something once */
    MESSAGE_ICE = 15,        /* round u32, offer */
    MESSAGE_WANT = 35,       /* document 16, name u8, places: level u8, index varint */
    MESSAGE_BLOCK = 17,      /* unasked: document 16, level u8, index varint, bytes */
    MESSAGE_GIVE = 36,       /* what was wanted: name u8, level u8, index varint, bytes */
    MESSAGE_LACK = 18,       /* document 16, level u8, index varint */
    MESSAGE_HAVE = 19,       /* document 16: more of it is here */
    MESSAGE_STREAM = 20,     /* name u8, kind u8, speaker 32, stream id 16, epoch key id 16, last
                                frame u32, time u32 */
    MESSAGE_STREAM_END = 21, /* name u8 */
    MESSAGE_FRAME = 22,      /* see frame.h */
    MESSAGE_KEYFRAME = 23,   /* name u8: tell of that stream again, and send a keyframe */
    MESSAGE_GREET = 24,      /* nothing: you are in my roster, tell me what members tell */
    MESSAGE_MAP = 25,        /* records, see edges.h */
    MESSAGE_MAP_DIGEST = 26, /* of the map 8 */
    MESSAGE_MAP_CLOCK = 27,  /* asks u8, then key 8 and number u64 of each record: all, or those
                                of which newer ones are wanted */
    MESSAGE_MAP_HAVE = 33,   /* key 8 and number u64 of records that there are */
    MESSAGE_MAP_TELL = 34,   /* u8: tell me of records by HAVE, 0, soon, 2, or send them, 1 */
    MESSAGE_NEARBY = 37,     /* count u8, then key 8 and address of others who are linked with */
    MESSAGE_FORWARD = 30,    /* to 8, from 8, hops left u8, priority u8, datagram */
    MESSAGE_FEED_AT = 31,    /* speaker 8, kind u8, last frame u32: so far it is here */
    MESSAGE_FEED_ASK = 32, /* the same of the one who asks, seconds u8: push it to me for so long */

    /* What a relay is let in by: a joiner's proof 64, and to it meeting id 32, member psk 32. */
    MESSAGE_JOIN_RELAY = 28,
    MESSAGE_WELCOME_RELAY = 29,
} MessageKind;
