/* What the float32 kernels share: sums of a few rows times some vectors of columns, in registers throughout.
 *
 * Plain C over the vectors of GCC and clang, compiled for AVX2 and AVX-512, and for ARM's NEON.
 */
#ifndef SEARCHER_FLOAT32_H
#define SEARCHER_FLOAT32_H

#include <stddef.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

/* Numbers of a vector; rows at a time, and at most so many vectors of columns with them: their sums fill the registers. */
#ifdef __AVX512F__
enum { LANES = 16, ROWS = 6, MOST = 4 };
#elif defined(__AVX2__)
enum { LANES = 8, ROWS = 6, MOST = 2 };
#else
enum { LANES = 4, ROWS = 6, MOST = 4 };
#endif

typedef float floats __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

#define ALL(x) ((x) - (floats){})
#define AT(p) (*(floats *)(p))

/* Up to whole vectors. */
INLINE size_t rounded(size_t numbers) { return (numbers + LANES - 1) / LANES * LANES; }

/* Columns of the next panel, where so many are left: as many vectors as there may be, or two, or one. */
INLINE size_t panel(size_t left) {
    return left >= MOST * LANES ? MOST * LANES : left >= 2 * LANES ? 2 * LANES : LANES;
}

/* e to the power of what is at most 0, to within 2 units of the last place; at least e^-87. Cody & Waite 1980, chapter 6:
 * 2^n e^r, |r| <= ln 2 / 2. What is no number stays none. */
INLINE float power_of_e(float x) {
    const float middle = 12582912.0f; /* 1.5 * 2^23: what is added to it is rounded to a whole number, its last bits */
    typedef union {
        float number;
        uint32_t bits;
    } either;
    const float held = x < -87 ? -87 : x;
    const either shifted = {held * 1.44269504f + middle};
    const float n = shifted.number - middle, r = held - n * 0.693359375f - n * -2.12194440e-4f;
    float y = 1.9875691500e-4f;
    y = y * r + 1.3981999507e-3f;
    y = y * r + 8.3334519073e-3f;
    y = y * r + 4.1665795894e-2f;
    y = y * r + 1.6666665459e-1f;
    y = y * r + 5.0000001201e-1f;
    y = y * (r * r) + r + 1;
    const either power = {.bits = (shifted.bits + 127) << 23};
    return y * power.number;
}

INLINE void multiply_some(const float *const *left, int depth, const float *right, size_t width, int vectors,
                          const float *from, size_t from_apart, float *out, size_t apart) {
    floats sums[ROWS][MOST];
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++)
            sums[i][j] = AT(from + i * from_apart + j * LANES);
    for (int k = 0; k < depth; k++, right += width) {
#pragma GCC unroll 8
        for (int i = 0; i < ROWS; i++) {
            const floats own = ALL(left[i][k]);
#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++)
                sums[i][j] += own * AT(right + j * LANES);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++)
            AT(out + i * apart + j * LANES) = sums[i][j];
}

/* ROWS rows, each at `left` and `depth` numbers long, times a panel: so many columns across, `width` from a row of it to the
 * next. `from`, where the sums begin, and `out` have `from_apart` and `apart` numbers from a row to the next. */
INLINE void multiply(const float *const *left, int depth, const float *right, size_t width, size_t columns,
                     const float *from, size_t from_apart, float *out, size_t apart) {
    if (columns == MOST * LANES) /* the compiler has to know how many */
        multiply_some(left, depth, right, width, MOST, from, from_apart, out, apart);
    else if (columns == 2 * LANES)
        multiply_some(left, depth, right, width, 2, from, from_apart, out, apart);
    else
        multiply_some(left, depth, right, width, 1, from, from_apart, out, apart);
}

int searcher_attention(const float *qkv, const int64_t *bounds, int64_t n, int heads, int size, float *out);

#endif
