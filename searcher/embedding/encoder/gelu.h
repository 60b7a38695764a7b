/* GELU as a polynomial, for the kernels that end a dense layer with it. */
#ifndef SEARCHER_GELU_H
#define SEARCHER_GELU_H

enum { NONE = 0, GELU = 1, GELU_TANH = 2, RELU = 3, GELU_TERMS = 8 };

/* x times the share of a normal distribution below x, the share as 1/2 + z P(z^2), z = x held within +-GELU_END: minimax
 * fits of the product, within 9e-5 there, 4e-4 anywhere (bfloat16 rounds 1 to 4e-3). Hendrycks & Gimpel 2016, and their
 * approximation by tanh. */
#define GELU_END 4.2f
static const float SHARES[3][GELU_TERMS] = {
    [GELU] = {3.98508757e-01f, -6.55994266e-02f, 9.33749136e-03f, -9.60769597e-04f, 6.82674217e-05f, -3.13996270e-06f,
              8.33013800e-08f, -9.61360103e-10f},
    [GELU_TANH] = {3.98425341e-01f, -6.57616705e-02f, 9.45772417e-03f, -9.89651540e-04f, 7.16752547e-05f,
                   -3.35641857e-06f, 9.04195261e-08f, -1.05667197e-09f},
};

#endif
