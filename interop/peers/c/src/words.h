/* Frames as words of the line protocol, and numbered messages. */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>
#include <stdint.h>

/* The longest last frame of a numbered message. */
#define NUMBERED_MAX (4 + 300)

struct frame {
    unsigned char *bytes;
    size_t size;
    int is_any; /* the word was `*` */
};

struct frames {
    struct frame *list;
    size_t count;
};

/* A text that grows; always ends with a NUL. */
struct text {
    char *chars;
    size_t size;
    size_t room;
};

/* Makes frames of words; 0, or -1 when one is no frame. Either way frames_free frees what was made. */
int frames_of(struct frames *frames, char **words, size_t count);
void frames_free(struct frames *frames);

/* The last frame of numbered message n; its size. */
size_t numbered(uint32_t n, unsigned char out[NUMBERED_MAX]);

void text_add(struct text *text, const char *format, ...);
/* Adds a frame as answers tell it, after a space. */
void text_tell(struct text *text, const unsigned char *bytes, size_t size);

/* Memory, or the end of the program. */
void *must(void *memory);

#endif
