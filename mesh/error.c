/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/error.h"

#include <stddef.h>

const char *mesh_error_text(MeshError error) {
    static const char *const texts[] = {
#define MESH_ERROR_TEXT(name, text) [name] = text,
        MESH_ERRORS(MESH_ERROR_TEXT)
#undef MESH_ERROR_TEXT
    };

    if ((size_t)error >= sizeof texts / sizeof *texts) {
        return "unknown error";
    }
    return texts[error];
}

const char *mesh_error_name(MeshError error) {
    static const char *const names[] = {
#define MESH_ERROR_WORD(name, text) [name] = #name,
        MESH_ERRORS(MESH_ERROR_WORD)
#undef MESH_ERROR_WORD
    };

    return (size_t)error < sizeof names / sizeof *names ? names[error] : "MESH_ERROR_UNKNOWN";
}
