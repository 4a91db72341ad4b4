"""The workloads of `tarn bench` as users of other frameworks write them."""
