#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERIOD = 251, SHORT = 64 };

void *must(void *memory)
{
    if (memory == NULL) {
        fputs("libzmq-peer: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static void fill(unsigned char *out, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (unsigned char) ((seed + i) % PERIOD);
}

static int of_hex(struct frame *frame, const char *digits)
{
    size_t length = strlen(digits);
    if (length % 2 != 0 || strspn(digits, "0123456789abcdef") != length)
        return -1;
    frame->size = length / 2;
    frame->bytes = must(malloc(frame->size + 1));
    for (size_t i = 0; i < frame->size; i++) {
        const char pair[] = {digits[2 * i], digits[2 * i + 1], 0};
        frame->bytes[i] = (unsigned char) strtoul(pair, NULL, 16);
    }
    return 0;
}

static int frame_of(struct frame *frame, const char *word)
{
    unsigned long size, seed;
    int end = 0;
    memset(frame, 0, sizeof *frame);
    if (strcmp(word, "*") == 0) {
        frame->is_any = 1;
    } else if (strcmp(word, "-") == 0) {
        frame->size = 0;
    } else if (strncmp(word, "t:", 2) == 0) {
        frame->size = strlen(word + 2);
        frame->bytes = must(malloc(frame->size + 1));
        memcpy(frame->bytes, word + 2, frame->size + 1);
    } else if (strncmp(word, "h:", 2) == 0) {
        return of_hex(frame, word + 2);
    } else if (sscanf(word, "f:%lu:%lu%n", &size, &seed, &end) == 2 && word[end] == 0) {
        frame->size = size;
        frame->bytes = must(malloc(size + 1));
        fill(frame->bytes, size, seed);
    } else {
        return -1;
    }
    return 0;
}

int frames_of(struct frames *frames, char **words, size_t count)
{
    frames->list = must(calloc(count + 1, sizeof *frames->list));
    frames->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (frame_of(&frames->list[i], words[i]) != 0)
            return -1;
        frames->count++;
    }
    return 0;
}

void frames_free(struct frames *frames)
{
    for (size_t i = 0; i < frames->count; i++)
        free(frames->list[i].bytes);
    free(frames->list);
}

size_t numbered(uint32_t n, unsigned char out[NUMBERED_MAX])
{
    for (int i = 0; i < 4; i++)
        out[i] = (unsigned char) (n >> (24 - 8 * i));
    fill(out + 4, n % 301, n);
    return 4 + n % 301;
}

static void text_grow(struct text *text, size_t more)
{
    if (text->size + more < text->room)
        return;
    text->room = 2 * (text->size + more) + 64;
    text->chars = must(realloc(text->chars, text->room));
}

void text_add(struct text *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int size = vsnprintf(NULL, 0, format, list);
    va_end(list);
    text_grow(text, (size_t) size + 1);
    va_start(list, format);
    vsnprintf(text->chars + text->size, (size_t) size + 1, format, list);
    va_end(list);
    text->size += (size_t) size;
}

/* CRC-32 of IEEE 802.3. */
static uint32_t crc32(const unsigned char *bytes, size_t size)
{
    static uint32_t table[256];
    for (uint32_t n = 0; table[255] == 0 && n < 256; n++) {
        uint32_t crc = n;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (crc >> 1) ^ 0xedb88320u : crc >> 1;
        table[n] = crc;
    }
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++)
        crc = (crc >> 8) ^ table[(crc ^ bytes[i]) & 0xff];
    return ~crc;
}

void text_tell(struct text *text, const unsigned char *bytes, size_t size)
{
    if (size == 0) {
        text_add(text, " -");
    } else if (size > SHORT) {
        text_add(text, " d:%zu:%08x", size, (unsigned) crc32(bytes, size));
    } else {
        text_add(text, " h:");
        for (size_t i = 0; i < size; i++)
            text_add(text, "%02x", bytes[i]);
    }
}
