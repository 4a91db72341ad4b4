/// What random numbers are drawn from. Two draws from one key are the same: split it for each use.
///
/// A key is two 64-bit numbers: the key of the Philox generator and a stream. It is a tensor, so it
/// can be an argument of a compiled function and be mapped over by `vmap`.
///
/// ```swift
/// let (a, b) = RandomKey(seed: 7).split()
/// let x = Tensor.normal([3, 4], key: a)
/// let mask = Tensor.bernoulli([3, 4], probability: 0.9, key: b)
/// ```
public struct RandomKey: TensorTree {
  /// int64 [2]: key and stream.
  public let tensor: Tensor

  /// The key numbered `seed`, on stream 0.
  public init(seed: UInt64) {
    tensor = Tensor(HostArray(shape: [2], dtype: .int64, integers: [Int64(bitPattern: seed), 0]))
  }

  /// A key from int64 [2].
  public init(tensor: Tensor) {
    if tensor.shape == [2], tensor.dtype == .int64 {
      self.tensor = tensor
    } else {
      self.tensor = tensor.rejected(
        "RandomKey", "a key is int64 [2]", ["tensor \(tensor.shape) \(tensor.dtype.name)"], as: [2],
        .int64)
    }
  }

  public func tensors(_ kind: LeafKind) -> [Tensor] { kind == .all ? [tensor] : [] }
  public func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> RandomKey {
    kind == .all ? tensors.first.map(RandomKey.init(tensor:)) ?? self : self
  }

  /// Two new keys, independent of each other and of this one.
  public func split() -> (RandomKey, RandomKey) {
    let keys = split(2)
    return (keys[0], keys[1])
  }

  /// `count` new keys, independent of each other and of this one.
  public func split(_ count: Int) -> [RandomKey] {
    let rows = derived(
      Self.splitting, .full([], .integer(0), dtype: .int64, device: tensor.device), count: count)
    return (0..<count).map { RandomKey(tensor: rows.sliced(0, $0, $0 + 1).reshaped([2])) }
  }

  /// The new key numbered `number`, e.g. of a step or a layer.
  public func folded(in number: Int) -> RandomKey {
    folded(in: Tensor.full([], .integer(Int64(number)), dtype: .int64, device: tensor.device))
  }

  /// As ``folded(in:)-(Int)`` for a number that is computed: an integer tensor of one element.
  public func folded(in number: Tensor) -> RandomKey {
    RandomKey(tensor: derived(Self.folding, number.cast(to: .int64), count: 1).reshaped([2]))
  }

  private static let splitting: Int64 = 0x5370_6c69_7453_706c
  private static let folding: Int64 = 0x466f_6c64_466f_6c64

  /// Random bits [count, 2] of the key [k ^ purpose, stream ^ number]: no purpose shares a stream
  /// with another or with draws.
  private func derived(_ purpose: Int64, _ number: Tensor, count: Int) -> Tensor {
    let salt = Tensor.concatenated(
      [
        Tensor.full([1], .integer(purpose), dtype: .int64, device: tensor.device),
        number.reshaped([1]),
      ], axis: 0)
    return Tensor.record(.random(.bits), tensor .^ salt, [count, 2], .int64)
  }
}
