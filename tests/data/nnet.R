# Rscript nnet.R data.csv start.csv n_h alpha: the loss, penalty included, that nnet ends at, and
# nnet's version. Each hidden unit and then the output has its bias first, which has no penalty.
library(nnet)

arguments <- commandArgs(trailingOnly = TRUE)
data <- as.matrix(read.csv(arguments[1], header = FALSE))
start <- scan(arguments[2], quiet = TRUE)
n_h <- as.integer(arguments[3])
alpha <- as.numeric(arguments[4])

n_x <- ncol(data) - 1
m <- nrow(data)
is_bias <- c(rep(c(TRUE, rep(FALSE, n_x)), n_h), TRUE, rep(FALSE, n_h))
fit <- nnet(data[, 1:n_x], data[, n_x + 1], size = n_h, entropy = TRUE, Wts = start,
            decay = ifelse(is_bias, 0, alpha * m / 2), maxit = 100000, reltol = 1e-14, abstol = 0,
            trace = FALSE)
stopifnot(fit$convergence == 0)
cat(sprintf("%.12f", fit$value / m), as.character(packageVersion("nnet")))
