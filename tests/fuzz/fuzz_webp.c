/* SPDX-License-Identifier: MPL-2.0 */
/* Still pictures as they come from the network: what is let through to the decoder lies inside the
 * file, begins as a key frame of a size that is allowed, and is all there is in its box. */
#include "media/vp8.h"
#include "media/webp.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *file = fuzz_copy(data, size);
    MediaWebpPicture picture = {0};

    if (media_webp_picture(file, size, &picture)) {
        FUZZ_CHECK(picture.data == file + 20);
        FUZZ_CHECK(picture.length > 0 && picture.length <= size - 20);
        FUZZ_CHECK(size - 20 - picture.length <= 1);
        FUZZ_CHECK(media_vp8_type(picture.data, picture.length) == MEDIA_VP8_KEY);
    } else {
        FUZZ_CHECK(!picture.data);
    }
    free(file);
    return 0;
}
