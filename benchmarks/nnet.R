# Fit R's nnet (package nnet, recommended with R) and write its weights and the seconds it took.
# Rscript nnet.R data.csv n_h seed max_iter weights.csv -- the last column of the data is y, 0 or 1.
suppressMessages(library(nnet))
args <- commandArgs(trailingOnly = TRUE)
data <- as.matrix(read.csv(args[1], header = FALSE))
X <- data[, -ncol(data), drop = FALSE]
y <- data[, ncol(data)]
n_h <- as.integer(args[2])
set.seed(as.integer(args[3]))
seconds <- system.time(
  net <- nnet(X, y, size = n_h, entropy = TRUE, maxit = as.integer(args[4]), reltol = 1e-10,
              abstol = 0, trace = FALSE, MaxNWts = 1e5)
)["elapsed"]
writeLines(formatC(c(seconds, net$wts), digits = 17), args[5])
