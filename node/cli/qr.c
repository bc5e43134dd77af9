/* SPDX-License-Identifier: MPL-2.0 */
#include <qrencode.h>
#include <stdio.h>
#include <unistd.h>

#include "node/cli/print.h"

#define QUIET 2 /* light modules around; 4 are asked for, terminals rarely have room */

static gboolean dark(const QRcode *code, int x, int y) {
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           (code->data[y * code->width + x] & 1) != 0;
}

gboolean print_qr(const char *text) {
    QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
    if (code == NULL) {
        return FALSE;
    }
    /* Two rows of modules a line; light is drawn, on black whatever the terminal's colours are. */
    gboolean colours = isatty(STDOUT_FILENO) != 0;
    static const char *const blocks[] = {" ", "▄", "▀", "█"};
    for (int y = -QUIET; y < code->width + QUIET; y += 2) {
        fputs(colours ? "\033[97;40m" : "", stdout);
        for (int x = -QUIET; x < code->width + QUIET; x++) {
            fputs(blocks[(dark(code, x, y) ? 0 : 2) + (dark(code, x, y + 1) ? 0 : 1)], stdout);
        }
        puts(colours ? "\033[0m" : "");
    }
    QRcode_free(code);
    return TRUE;
}

char *print_qr_rows(const char *text) {
    QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
    if (code == NULL) {
        return NULL;
    }
    GString *rows = g_string_new(NULL);
    for (int y = 0; y < code->width; y++) {
        for (int x = 0; x < code->width; x++) {
            g_string_append_c(rows, dark(code, x, y) ? '1' : '0');
        }
        g_string_append_c(rows, '\n');
    }
    QRcode_free(code);
    return g_string_free(rows, FALSE);
}
