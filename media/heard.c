/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* memfd_create */
#include "media/heard.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLES_A_MS 48

/* A power of two, so that a place that wraps around is still one. */
#define RING_SAMPLES 65536U

/* So far behind the newest no sample is being overwritten. */
static_assert(MEDIA_HEARD_READ_MAX + MEDIA_HEARD_WRITE_MAX <= RING_SAMPLES,
              "the ring is too small");

struct MediaHeard {
    _Atomic uint64_t until; /* the place after the newest sample */
    _Atomic int16_t samples[RING_SAMPLES];
};

/* The size is fixed: whoever shortened it would end the other process. */
int media_heard_make(void) {
    int descriptor = memfd_create("maillon-heard", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) {
        return -1;
    }
    if (ftruncate(descriptor, sizeof(MediaHeard)) != 0 ||
        fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        int failure = errno;
        close(descriptor);
        errno = failure;
        return -1;
    }
    return descriptor;
}

MediaHeard *media_heard_open(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        return NULL;
    }
    if (status.st_size != (off_t)sizeof(MediaHeard)) {
        errno = EINVAL;
        return NULL;
    }
    void *memory =
        mmap(NULL, sizeof(MediaHeard), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

void media_heard_close(MediaHeard *heard) {
    if (heard != NULL) {
        munmap(heard, sizeof(*heard));
    }
}

uint64_t media_heard_place(uint64_t time_us) {
    return time_us / 1000 * SAMPLES_A_MS + time_us % 1000 * SAMPLES_A_MS / 1000;
}

static void put(MediaHeard *heard, uint64_t place, int16_t sample) {
    atomic_store_explicit(&heard->samples[place % RING_SAMPLES], sample, memory_order_relaxed);
}

void media_heard_write(MediaHeard *heard, uint64_t place, const int16_t *samples, size_t count) {
    uint64_t until = atomic_load_explicit(&heard->until, memory_order_relaxed);
    assert(count <= MEDIA_HEARD_WRITE_MAX);
    /* Earlier than what there is: the player began anew, and the rest of it is not heard. */
    uint64_t gap = place > until ? place - until : 0;
    for (uint64_t i = gap < RING_SAMPLES ? gap : RING_SAMPLES; i > 0; i--) {
        put(heard, place - i, 0);
    }
    for (size_t i = 0; i < count; i++) {
        put(heard, place + i, samples[i]);
    }
    atomic_store_explicit(&heard->until, place + count, memory_order_release);
}

void media_heard_read(const MediaHeard *heard, uint64_t place, int16_t *ret_samples, size_t count) {
    uint64_t until = atomic_load_explicit(&heard->until, memory_order_acquire);
    for (size_t i = 0; i < count; i++) {
        uint64_t behind = until - (place + i); /* huge when it is ahead */
        ret_samples[i] = behind - 1 < MEDIA_HEARD_READ_MAX
                             ? atomic_load_explicit(&heard->samples[(place + i) % RING_SAMPLES],
                                                    memory_order_relaxed)
                             : 0;
    }
}
