/* Dense layers over packed bfloat16 tokens on AMX tiles (or by dot.h), each with what follows it; one thread a call.
 *
 * Four tiles hold the sums of 32 tokens by 32 outputs in float32. Weights come packed: for each 32 outputs a panel,
 * in it for each 32 inputs two tiles of pairs of inputs down and outputs across; a panel of 384 inputs fits the first
 * cache. Tokens are loaded as a stream, which leaves the panel there. All arrays hold a multiple of 32 rows.
 */
#include <stdlib.h>

#include "gelu.h"
#include "tiles.h"

enum { BLOCK = 32, PANEL_STEPS = 12, CHUNK_BYTES = 800 << 10 };

INLINE __m512 activated(__m512 x, int activation) {
    if (activation == NONE)
        return x;
    if (activation == RELU)
        return _mm512_max_ps(x, _mm512_setzero_ps());
    const __m512 z = _mm512_max_ps(_mm512_min_ps(x, _mm512_set1_ps(GELU_END)), _mm512_set1_ps(-GELU_END));
    const __m512 square = _mm512_mul_ps(z, z);
    const float *p = SHARES[activation];
    __m512 y = _mm512_set1_ps(p[GELU_TERMS - 1]);
    for (int k = GELU_TERMS - 2; k >= 0; k--)
        y = _mm512_fmadd_ps(y, square, _mm512_set1_ps(p[k]));
    return _mm512_mul_ps(x, _mm512_fmadd_ps(z, y, _mm512_set1_ps(0.5f)));
}

/* The bfloat16 nearest a number, of two as near the even one. */
INLINE uint16_t nearest(float number) {
    union {
        float number;
        uint32_t bits;
    } as = {number};
    return number != number ? 0x7fc0 : (as.bits + 0x7fff + (as.bits >> 16 & 1)) >> 16;
}

/* Weights (outputs, inputs) in float32 -> packed. */
int searcher_pack(const float *weights, int outputs, int inputs, uint16_t *out) {
    for (int first = 0; first < outputs; first += TILE)
        for (int begin = 0; begin < inputs; begin += STEP) {
            uint16_t *tile = out + (size_t)(first / BLOCK) * BLOCK * inputs + begin * BLOCK + first % BLOCK * STEP;
            for (int o = 0; o < TILE; o++)
                for (int i = 0; i < STEP; i++)
                    tile[i / 2 * STEP + 2 * o + i % 2] = nearest(weights[(size_t)(first + o) * inputs + begin + i]);
        }
    return 0;
}

/* Tiles 0 to 3 gain 32 tokens times a panel over so many steps of 32 inputs. stride: of the tokens' rows, in bytes;
 * half, next: elements from the first 16 tokens to the others, and from a step to the next. */
#define MULTIPLY_STEP(x, stride, half, panel)                                                                          \
    _tile_loadd(6, panel, 64);                                                                                         \
    _tile_stream_loadd(4, x, stride);                                                                                  \
    _tile_dpbf16ps(0, 4, 6);                                                                                           \
    _tile_loadd(7, (panel) + 512, 64);                                                                                 \
    _tile_dpbf16ps(1, 4, 7);                                                                                           \
    _tile_stream_loadd(5, (x) + (half), stride);                                                                       \
    _tile_dpbf16ps(2, 5, 6);                                                                                           \
    _tile_dpbf16ps(3, 5, 7)

#define STORE_SUMS(sums)                                                                                               \
    _tile_stored(0, sums, 128);                                                                                        \
    _tile_stored(1, (sums) + 16, 128);                                                                                 \
    _tile_stored(2, (sums) + 512, 128);                                                                                \
    _tile_stored(3, (sums) + 528, 128)

INLINE void finish_row(const float *sums, const float *bias, int activation, uint16_t *out) {
    narrow(out, activated(_mm512_add_ps(_mm512_load_ps(sums), _mm512_loadu_ps(bias)), activation),
           activated(_mm512_add_ps(_mm512_load_ps(sums + 16), _mm512_loadu_ps(bias + 16)), activation));
}

/* While the tiles work on a block, AVX-512 finishes the one before. */
INLINE void dense(const uint16_t *x, int64_t rows, int depth, const uint16_t *weights, const float *bias, int width,
                  int activation, uint16_t *out, int blocked) {
    float sums[2][BLOCK * BLOCK] __attribute__((aligned(64)));
    const int steps = depth / STEP, panels = width / BLOCK;
    const size_t to_stride = blocked ? BLOCK : width;
    const float *last_bias = bias;
    uint16_t *to = 0;
    int turn = 0;
    int64_t chunk = CHUNK_BYTES / 2 / depth / BLOCK * BLOCK;
    chunk = chunk < BLOCK ? BLOCK : chunk;
    for (int64_t first = 0; first < rows; first += chunk) {
        const int64_t end = first + chunk < rows ? first + chunk : rows;
        for (int number = 0; number < panels; number++) {
            const uint16_t *panel = weights + (size_t)number * steps * 1024;
#ifndef SEARCHER_DOT
            const uint16_t *ahead = panel + steps * 1024;
            const size_t ahead_by = 1024 * BLOCK / (end - first), stride = (size_t)depth * 2, half = (size_t)TILE * depth;
#endif
            for (int64_t row = first; row < end; row += BLOCK) {
                const uint16_t *from = x + row * depth;
#ifdef SEARCHER_DOT
                dot_block(from, depth, STEP, panel, steps, 0, sums[turn]);
                for (int done = 0; to && done < BLOCK; done++)
                    finish_row(sums[turn ^ 1] + done * BLOCK, last_bias, activation, to + done * to_stride);
#else
                const uint16_t *w = panel;
                int done = 0, due = 0;
                _tile_zero(0);
                _tile_zero(1);
                _tile_zero(2);
                _tile_zero(3);
                for (int step = 0; step < steps; step++, from += STEP, w += 1024, ahead += ahead_by) {
                    MULTIPLY_STEP(from, stride, half, w);
                    _mm_prefetch(ahead, _MM_HINT_T1);
                    if (to)
                        for (due += BLOCK; due >= steps; due -= steps, done++)
                            finish_row(sums[turn ^ 1] + done * BLOCK, last_bias, activation, to + done * to_stride);
                }
                STORE_SUMS(sums[turn]);
#endif
                turn ^= 1;
                last_bias = bias + number * BLOCK;
                to = out + (blocked ? (row / BLOCK * panels + number) * BLOCK * BLOCK : row * width + number * BLOCK);
            }
        }
    }
    for (int r = 0; to && r < BLOCK; r++)
        finish_row(sums[turn ^ 1] + r * BLOCK, last_bias, activation, to + r * to_stride);
}

/* out = x weights + bias. x: (rows, depth); out: (rows, width). */
int searcher_dense(const uint16_t *x, int64_t rows, int depth, const uint16_t *weights, const float *bias, int width,
                   uint16_t *out) {
    const tile_config before = tiles_begin();
    dense(x, rows, depth, weights, bias, width, NONE, out, 0);
    tiles_end(before);
    return 0;
}

/* out = activation(x weights + bias), in blocks of 32 x 32, those of the same rows side by side, as
 * `searcher_dense_norm` takes them. */
int searcher_dense_activated(const uint16_t *x, int64_t rows, int depth, const uint16_t *weights, const float *bias,
                             int width, int activation, uint16_t *out) {
    const tile_config before = tiles_begin();
    if (activation == GELU)
        dense(x, rows, depth, weights, bias, width, GELU, out, 1);
    else if (activation == GELU_TANH)
        dense(x, rows, depth, weights, bias, width, GELU_TANH, out, 1);
    else
        dense(x, rows, depth, weights, bias, width, RELU, out, 1);
    tiles_end(before);
    return 0;
}

/* A row of sums, in blocks, plus bias and residual, normalised. */
INLINE void finish_norm(float *sums, const float *bias, const uint16_t *residual, int width, const float *scale,
                        const float *shift, float epsilon, uint16_t *out) {
    __m512 sum = _mm512_setzero_ps(), squares = sum;
    for (int i = 0; i < width; i += TILE) {
        float *at = sums + (size_t)(i / BLOCK) * BLOCK * BLOCK + i % BLOCK;
        const __m512 value = _mm512_add_ps(_mm512_load_ps(at), _mm512_add_ps(_mm512_loadu_ps(bias + i), widen(residual + i)));
        _mm512_store_ps(at, value);
        sum = _mm512_add_ps(sum, value);
        squares = _mm512_fmadd_ps(value, value, squares);
    }
    normalise(sums, BLOCK * BLOCK, width, sum, squares, scale, shift, epsilon, out);
}

/* out = normalised(x weights + bias + residual). x: (rows, depth), in blocks if `blocked`; residual, out:
 * (rows, width). Inputs are taken 384 at a time, so that a panel stays in the first cache. Returns 0, or 1 when there
 * is no memory. */
int searcher_dense_norm(const uint16_t *x, int blocked, int64_t rows, int depth, const uint16_t *weights,
                        const float *bias, int width, const uint16_t *residual, const float *scale, const float *shift,
                        float epsilon, uint16_t *out) {
    const int steps = depth / STEP, panels = width / BLOCK;
    const size_t apart = blocked ? STEP : (size_t)depth, next = blocked ? 1024 : STEP; /* a token, a step from the next */
    int64_t chunk = CHUNK_BYTES / (width * 4) / BLOCK * BLOCK;
    chunk = chunk < BLOCK ? BLOCK : chunk > rows ? rows : chunk;
    float *memory = aligned_alloc(64, (size_t)chunk * width * 4);
    if (!memory)
        return 1;
    const tile_config before = tiles_begin();
    for (int64_t first = 0; first < rows; first += chunk) {
        const int64_t end = first + chunk < rows ? first + chunk : rows;
        for (int begin = 0; begin < steps; begin += PANEL_STEPS) {
            const int stop = begin + PANEL_STEPS < steps ? begin + PANEL_STEPS : steps;
            for (int number = 0; number < panels; number++) {
                const uint16_t *panel = weights + ((size_t)number * steps + begin) * 1024;
#ifndef SEARCHER_DOT
                const uint16_t *ahead = panel + steps * 1024;
                const size_t ahead_by = 1024 * BLOCK / (end - first), stride = 2 * apart, half = TILE * apart;
#endif
                for (int64_t row = first; row < end; row += BLOCK) {
                    const uint16_t *from = x + row * depth + begin * next;
                    float *sums = memory + ((row - first) / BLOCK * panels + number) * BLOCK * BLOCK;
#ifdef SEARCHER_DOT
                    dot_block(from, apart, next, panel, stop - begin, begin > 0, sums);
#else
                    const uint16_t *w = panel;
                    if (begin) {
                        _tile_loadd(0, sums, 128);
                        _tile_loadd(1, sums + 16, 128);
                        _tile_loadd(2, sums + 512, 128);
                        _tile_loadd(3, sums + 528, 128);
                    } else {
                        _tile_zero(0);
                        _tile_zero(1);
                        _tile_zero(2);
                        _tile_zero(3);
                    }
                    for (int step = begin; step < stop; step++, from += next, w += 1024, ahead += ahead_by) {
                        MULTIPLY_STEP(from, stride, half, w);
                        _mm_prefetch(ahead, _MM_HINT_T1);
                    }
                    STORE_SUMS(sums);
#endif
                }
            }
        }
        for (int64_t row = first; row < end; row++) {
            const int64_t at = row - first;
            finish_norm(memory + (at / BLOCK * panels * BLOCK + at % BLOCK) * BLOCK, bias, residual + row * width,
                        width, scale, shift, epsilon, out + row * width);
        }
    }
    tiles_end(before);
    free(memory);
    return 0;
}
