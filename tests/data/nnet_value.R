# Rscript nnet_value.R data.csv start.csv n_h decay: the value of nnet with weights, which are the last
# column, and all its parameters. Each hidden unit and then the output has its bias first.
library(nnet)

arguments <- commandArgs(trailingOnly = TRUE)
data <- as.matrix(read.csv(arguments[1], header = FALSE))
n_x <- ncol(data) - 2
fit <- nnet(data[, 1:n_x], data[, n_x + 1], weights = data[, n_x + 2], entropy = TRUE,
            Wts = scan(arguments[2], quiet = TRUE), size = as.integer(arguments[3]),
            decay = as.numeric(arguments[4]), maxit = 20, trace = FALSE)
cat(sprintf("%.17g", c(fit$value, fit$wts)))
