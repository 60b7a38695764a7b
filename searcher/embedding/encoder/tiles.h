/* What the AMX kernels share: how tiles are set up, and arithmetic on 16 float32 at a time. */
#ifndef SEARCHER_TILES_H
#define SEARCHER_TILES_H

#include <immintrin.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE = 16, STEP = 32 }; /* a tile is 16 rows of 32 bfloat16, or of 16 float32 */

/* The compiler does not know that tile loads read memory: what was written before them must be. */
#define TILES_READ_MEMORY __asm__ volatile("" ::: "memory")

#ifdef SEARCHER_DOT

#include "dot.h"

typedef int tile_config;

INLINE tile_config tiles_begin(void) { return 0; }
INLINE void tiles_end(tile_config before) { (void)before; }

#else

typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t colsb[16];
    uint8_t rows[16];
} __attribute__((packed, aligned(64))) tile_config;

/* Eight whole tiles; returns what was set before, for `tiles_end`. */
INLINE tile_config tiles_begin(void) {
    tile_config before, mine = {.palette = 1};
    for (int i = 0; i < 8; i++)
        mine.colsb[i] = 64, mine.rows[i] = TILE;
    _tile_storeconfig(&before);
    _tile_loadconfig(&mine);
    return before;
}

INLINE void tiles_end(tile_config before) {
    _tile_release();
    if (before.palette)
        _tile_loadconfig(&before);
}

#endif

INLINE __m512 widen(const uint16_t *from) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from)), 16));
}

/* 32 float32 -> bfloat16. */
INLINE void narrow(uint16_t *to, __m512 low, __m512 high) {
    _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

/* Layer normalisation of a row whose sum and sum of squares are known: 32 values at `values`, 32 more `next` further.
 * scale, shift: float32; width: a multiple of 32. Ba, Kiros & Hinton 2016. */
INLINE void normalise(const float *values, size_t next, int width, __m512 sum, __m512 squares, const float *scale,
                      const float *shift, float epsilon, uint16_t *out) {
    const float mean = _mm512_reduce_add_ps(sum) / width;
    const float variance = _mm512_reduce_add_ps(squares) / width - mean * mean;
    const __m512 by = _mm512_set1_ps(1.0f / __builtin_sqrtf((variance > 0 ? variance : 0) + epsilon));
    const __m512 centre = _mm512_set1_ps(mean);
    for (int i = 0; i < width; i += 32, values += next) {
        const __m512 low = _mm512_mul_ps(_mm512_sub_ps(_mm512_load_ps(values), centre), by);
        const __m512 high = _mm512_mul_ps(_mm512_sub_ps(_mm512_load_ps(values + 16), centre), by);
        narrow(out + i, _mm512_fmadd_ps(low, _mm512_loadu_ps(scale + i), _mm512_loadu_ps(shift + i)),
               _mm512_fmadd_ps(high, _mm512_loadu_ps(scale + i + 16), _mm512_loadu_ps(shift + i + 16)));
    }
}

/* Kernels that layers.c puts together; dense.c and amx.c say what they take. */
int searcher_dense(const uint16_t *x, int64_t rows, int depth, const uint16_t *weights, const float *bias, int width,
                   uint16_t *out);
int searcher_dense_activated(const uint16_t *x, int64_t rows, int depth, const uint16_t *weights, const float *bias,
                             int width, int activation, uint16_t *out);
int searcher_dense_norm(const uint16_t *x, int blocked, int64_t rows, int depth, const uint16_t *weights,
                        const float *bias, int width, const uint16_t *residual, const float *scale, const float *shift,
                        float epsilon, uint16_t *out);
int searcher_attention(const uint16_t *qkv, const int64_t *bounds, int64_t n, int heads, int size, uint16_t *out);

#endif
