/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The messages the node and the media helper exchange, byte by byte.
 * It owns the layout of every message and its limits; one message is one single-part ZeroMQ
 * message. It never allocates, keeps no state, and knows neither GStreamer, GLib nor ZeroMQ.
 *
 * Every message begins with two bytes: version (1) and type. Integers are little-endian. Variable
 * parts carry their length, and a message with one byte too few or too many is refused.
 *
 *   type             from → to       after the two first bytes
 *    1 STREAM_OPEN   node → play     stream u32, kind u8
 *    2 FRAME         node → play     stream u32, number u32, media_time_ms u32, duration_ms u16,
 *                    capture → node  kind u8, flags u8, codec u8, level u8, length u32, payload
 *    3 STREAM_CLOSE  node → play     stream u32
 *    4 STOP          node → play     kind u8 (0: everything, then exit; capture: that source only)
 *                    node → capture
 *    5 START         node → capture  kind u8, profile u8, length u16, source (UTF-8)
 *    6 UPLINK        node → capture  rate_bps u32, loss_permille u16, rtt_ms u16, queue_ms u16
 *    7 KEYFRAME      node → capture  kind u8, stream u32 (0 from the node)
 *                    play → node
 *    8 READY         play → node     length u16, text (sink, sandbox)
 *                    capture → node
 *    9 STATS         play → node     stream u32, frames u32, in_time u32, late u32, lost u32,
 *                                    concealed u32, delay_ms u16,
 *                                    decoded u32, keyframes u32
 *   10 STARTED       capture → node  kind u8
 *   11 ENDED        both → node     kind u8 (0: the helper itself, about to exit),
 *                                   length u16, reason (empty: the source is over)
 *   12 ERROR        both → node     kind u8 (0: none in particular), length u16, text
 *   13 RUNG         capture → node  kind u8, codec u8, packet_ms u16, height u16, bitrate_bps u32,
 *                                   wire_bps u32, reason u8
 *   14 SAVE         node → capture  level u8
 *   15 RECORD       node → play     on u8
 *   16 MIX          play → node     first u32, length u32, samples (i16 each, mono, 48 kHz)
 *   17 METER        node → capture  on u8
 *   18 LOUDNESS     capture → node  rms u8, peak u8
 *   19 DEVICES      node → capture
 *   20 DEVICE       capture → node  role u8, length u16, length u16, source, name (UTF-8)
 *   21 ECHO         capture → node  cancelled u8
 *
 * Each START is answered once by ERROR (it cannot be opened) or ENDED, the latter preceded by
 * STARTED and FRAMEs when there were any. A source stopped or replaced ends too, before a later one
 * begins: whoever counts the STARTs knows of which one an answer speaks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEDIA_PROTOCOL_VERSION 1

/* Streams played at once, of each kind; a STREAM_OPEN past it is answered by ERROR. */
#define MEDIA_VOICE_STREAMS_MAX 8
#define MEDIA_VIDEO_STREAMS_MAX 4

/* Bytes. The voice maximum is that of an Opus packet of one frame (RFC 6716 section 3.4, R2). */
#define MEDIA_VOICE_PAYLOAD_MAX 1275
#define MEDIA_PAYLOAD_MAX       (256 * 1024)
#define MEDIA_TEXT_MAX          4096
#define MEDIA_MIX_BYTES_MAX     9600 /* 100 ms */
#define MEDIA_FRAME_HEADER_SIZE 24
#define MEDIA_MESSAGE_MAX       (MEDIA_FRAME_HEADER_SIZE + MEDIA_PAYLOAD_MAX)

/* Milliseconds one frame may last. */
#define MEDIA_DURATION_MS_MAX 10000

/* What the least of voice takes with its headers, bit/s: on less it is heard by nobody. */
#define MEDIA_VOICE_RATE_LEAST 8000

/* RFC 6464: 0 is the loudest, 127 is digital silence. */
#define MEDIA_LEVEL_SILENCE 127

typedef enum {
    MEDIA_STREAM_OPEN = 1,
    MEDIA_FRAME = 2,
    MEDIA_STREAM_CLOSE = 3,
    MEDIA_STOP = 4,
    MEDIA_START = 5,
    MEDIA_UPLINK = 6,
    MEDIA_KEYFRAME = 7,
    MEDIA_READY = 8,
    MEDIA_STATS = 9,
    MEDIA_STARTED = 10,
    MEDIA_ENDED = 11,
    MEDIA_ERROR = 12,
    MEDIA_RUNG = 13,
    MEDIA_SAVE = 14,
    MEDIA_RECORD = 15,
    MEDIA_MIX = 16,
    MEDIA_METER = 17,
    MEDIA_LOUDNESS = 18,
    MEDIA_DEVICES = 19,
    MEDIA_DEVICE = 20,
    MEDIA_ECHO = 21,
} MediaType;

typedef enum {
    MEDIA_KIND_NONE = 0,
    MEDIA_KIND_VOICE = 1,
    MEDIA_KIND_VIDEO = 2,
    MEDIA_KIND_SCREEN = 3,
} MediaKind;

/* Of a frame's payload, to its receivers too: at most 15. */
typedef enum {
    MEDIA_CODEC_OPUS = 1,   /* voice: mono, 48 kHz */
    MEDIA_CODEC_VP8 = 2,    /* video, screen */
    MEDIA_CODEC_WEBP = 3,   /* video, screen: a still, shown until the next picture comes */
    MEDIA_CODEC_CODEC2 = 4, /* voice: 3200 bit/s, 8 kHz, 8 bytes for each 20 ms */
} MediaCodec;

/* What a person lets pictures cost. */
typedef enum {
    MEDIA_SAVE_NOTHING = 0,
    MEDIA_SAVE_VIDEO = 1,    /* pictures are stills */
    MEDIA_SAVE_PICTURES = 2, /* there are none: voice alone */
} MediaSave;

/* Where the encoder begins before the first UPLINK; after it the measured line decides. */
typedef enum {
    MEDIA_PROFILE_AUTO = 0,   /* as on a good line */
    MEDIA_PROFILE_NARROW = 1, /* the lowest rung */
    MEDIA_PROFILE_RECORD = 2, /* voice: the same for good, whatever the line is: it is not live */
} MediaProfile;

typedef enum {
    /* Video: decodable without any earlier frame. Every voice frame has it too. */
    MEDIA_FLAG_KEYFRAME = 1 << 0,
    /* The speaker fell silent: a pause may follow, and numbers do not advance in it. */
    MEDIA_FLAG_SILENCE = 1 << 2,
    /* The last frame of the source. */
    MEDIA_FLAG_LAST = 1 << 3,
} MediaFlag;

#define MEDIA_FLAGS_ALL (MEDIA_FLAG_KEYFRAME | MEDIA_FLAG_SILENCE | MEDIA_FLAG_LAST)

typedef struct {
    const uint8_t *data; /* into the message decoded, never owned */
    uint32_t length;
} MediaBytes;

typedef struct {
    const char *data; /* UTF-8 by agreement (the reader checks), without 0 byte, not terminated */
    uint16_t length;
} MediaText;

typedef struct {
    uint32_t stream;
    MediaKind kind; /* VOICE or VIDEO (a screen is played as VIDEO) */
} MediaStreamOpen;

/*
 * One encoded frame. `number` counts the frames sent, by one, modulo 2^32: a missing number is a
 * lost frame. `media_time_ms` is the time of the first sample, modulo 2^32; it advances by the
 * duration, and by more across a silence that was not sent.
 */
typedef struct {
    uint32_t stream; /* chosen by the node; 0 from capture */
    uint32_t number;
    uint32_t media_time_ms;
    uint16_t duration_ms; /* 1 … MEDIA_DURATION_MS_MAX */
    MediaKind kind;
    uint8_t flags;      /* MediaFlag */
    MediaCodec codec;   /* one for that kind */
    uint8_t level;      /* voice: -dBov, 0 … 127 (RFC 6464); else 127 */
    MediaBytes payload; /* 1 … MEDIA_PAYLOAD_MAX, of a voice 1 … MEDIA_VOICE_PAYLOAD_MAX */
} MediaFrame;

typedef struct {
    MediaKind kind;
    MediaProfile profile;
    MediaText source; /* auto, test, a file's path, or a GStreamer description */
} MediaStart;

/*
 * What the sources of this node may use together, headers included. Voice is served first, video
 * has what is left. Send it about once a second; a zero rate says that nothing is measured yet.
 */
typedef struct {
    uint32_t rate_bps;
    uint16_t loss_permille; /* 0 … 1000 */
    uint16_t rtt_ms;
    uint16_t queue_ms; /* what waits to be sent, at that rate */
} MediaUplink;

typedef struct {
    MediaKind kind;
    uint32_t stream;
} MediaKeyframe;

/* Why a source sends what it sends now. */
typedef enum {
    MEDIA_REASON_BEGINS = 0, /* it has just begun: nothing is known of the line */
    MEDIA_REASON_LINE = 1,   /* less than before: the line carries no more */
    MEDIA_REASON_LOSS = 2,   /* less than before: what is lost has to be sent more than once */
    MEDIA_REASON_QUEUE = 3,  /* less than before: too much waits to be sent */
    MEDIA_REASON_VOICE = 4,  /* pictures, less than before: speech, or a screen, needs the room */
    MEDIA_REASON_SAVE = 5,   /* pictures, less than before: a person said so */
    MEDIA_REASON_ROOM = 6,   /* more than before: there is room */
    MEDIA_REASON_NARROW = 7, /* not even the least fits: others may not receive it live */
    MEDIA_REASON_FAR = 8,    /* voice, longer packets than before: shorter ones gain nothing */
} MediaReason;

/*
 * What a source sends from now on, and why: told when it begins and whenever one of the two
 * changes. `codec` is 0, and all that follows, when pictures are left out. `packet_ms` is how much
 * voice shares a packet, or the time from one picture to the next.
 */
typedef struct {
    MediaKind kind;
    MediaCodec codec;
    uint16_t packet_ms;
    uint16_t height;      /* of a picture; 0 for a voice */
    uint32_t bitrate_bps; /* of the encoder */
    uint32_t wire_bps;    /* on that line, with every header and what is sent twice */
    MediaReason reason;
} MediaRung;

/*
 * Counters since STREAM_OPEN; frames = in_time + late + lost. `frames` are the numbered frames sent
 * while the stream was open, lost ones included; a silence not sent is none. `in_time` were present
 * when due to play, `late` came after, `lost` never came; `concealed` are the gap concealments
 * played. `delay_ms` is from a frame's arrival to its sound: jitter buffer and output queue.
 * `decoded` are the pictures that came out of the decoder, `keyframes` those of them that needed no
 * earlier one; a voice has none.
 */
typedef struct {
    uint32_t stream;
    uint32_t frames;
    uint32_t in_time;
    uint32_t late;
    uint32_t lost;
    uint32_t concealed;
    uint16_t delay_ms;
    uint32_t decoded;
    uint32_t keyframes;
} MediaStats;

typedef struct {
    MediaKind kind;
    MediaText text;
} MediaNotice;

/*
 * What is played, between RECORD on and RECORD off: `first` counts the samples since then, those
 * that were dropped too. An empty one is the last.
 */
typedef struct {
    uint32_t first;
    MediaBytes samples; /* at most MEDIA_MIX_BYTES_MAX, an even number */
} MediaMix;

/*
 * How loud the microphone was in the last eighth of a second, between METER on and METER off: both
 * as the level of a frame, in -dBov. Told in silence too, when no frame is sent.
 */
typedef struct {
    uint8_t rms;
    uint8_t peak;
} MediaLoudness;

typedef enum {
    MEDIA_ROLE_NONE = 0, /* the end of the list */
    MEDIA_ROLE_MICROPHONE = 1,
    MEDIA_ROLE_CAMERA = 2,
    MEDIA_ROLE_SPEAKER = 3,
} MediaRole;

/* A device of this machine: what START, or the player, takes for it, and what a person calls it. */
typedef struct {
    MediaRole role;
    MediaText source;
    MediaText name;
} MediaDevice;

typedef struct {
    MediaType type;
    union {
        MediaStreamOpen open;   /* STREAM_OPEN */
        MediaFrame frame;       /* FRAME */
        uint32_t stream;        /* STREAM_CLOSE */
        MediaKind kind;         /* STOP, STARTED */
        MediaStart start;       /* START */
        MediaUplink uplink;     /* UPLINK */
        MediaKeyframe keyframe; /* KEYFRAME */
        MediaRung rung;         /* RUNG */
        MediaSave save;         /* SAVE */
        bool record;            /* RECORD */
        bool meter;             /* METER */
        MediaLoudness loudness; /* LOUDNESS */
        MediaDevice device;     /* DEVICE */
        bool cancelled;         /* ECHO: what is played is taken out of a microphone; once */
        MediaMix mix;           /* MIX */
        MediaStats stats;       /* STATS */
        MediaNotice notice;     /* READY (kind NONE, not sent), ENDED, ERROR */
    };
} MediaMessage;

/* Bytes the message takes once encoded, or 0 when a field is outside its limits. */
size_t media_message_size(const MediaMessage *message);

/*
 * Writes the message. Returns the bytes written, or 0 when a field is outside its limits or
 * `capacity` is too small; `ret_bytes` is untouched then.
 */
size_t media_message_encode(const MediaMessage *message, uint8_t *ret_bytes, size_t capacity);

/*
 * Reads one whole message. The texts and payloads of `ret_message` point into `bytes`. False for
 * another version, an unknown type, a wrong length or a field outside its limits; `ret_message` is
 * untouched then. Any bytes may be given.
 */
bool media_message_decode(const uint8_t *bytes, size_t length, MediaMessage *ret_message);

/* English name of a kind: "voice", "video", "screen", else "none". */
const char *media_kind_name(MediaKind kind);

/* A view of a C string, cut to MEDIA_TEXT_MAX bytes; the string must outlive it. */
MediaText media_text(const char *text);
