import Foundation
import TarnCore
import TarnData

/// Pictures with a class each, decoded when they are asked for, a batch by several threads.
///
/// ```swift
/// let photos = try LabelledImages(classFolders: URL(fileURLWithPath: "pets"))
/// let parts = photos.split([0.8, 0.2], seed: 0)
/// let train = parts[0].augmented(.standard([224, 224]), seed: 0)
/// for try await batch in train.batched(32, sampler: .shuffled(seed: 0)).epoch(0).prefetched() {
///   print(batch.features.shape, batch.labels.shape)  // [32, 3, 224, 224] [32]
/// }
/// ```
///
/// A picture that cannot be read any more when its turn comes is left out of its batch and listed in
/// ``missing``, unless ``isStrict`` is set.
public struct LabelledImages: BatchSource {
  public typealias Sample = Example
  public typealias Batch = TarnData.Batch

  /// What files are looked at before they are taken.
  public enum Checking: Sendable, Hashable {
    /// Every picture is decoded once (JPEG at an eighth of its size): whatever is damaged is found.
    case contents
    /// What the files begin with.
    case headers
  }

  let store: PictureStore
  /// The class number of each picture.
  public let labels: [Int]
  /// What the class numbers mean.
  public let classes: [String]
  /// Files that were left out, and why.
  public let failures: [FileFailure]
  /// What is done to every picture; sets the shape of a batch.
  public var preprocessing: Preprocessing
  /// What is done to pictures at random; nil: nothing.
  public private(set) var augmentation: Augmentation?
  /// Of the random changes. Those of a sample depend on it, the epoch and the sample's number only.
  public private(set) var seed: UInt64 = 0
  /// Throws where a picture cannot be read, rather than leaving it out.
  public var isStrict = false
  /// Threads that decode a batch; nil: as many as the engine uses.
  public var threads: Int?
  /// Each picture's number in the whole set, which random changes depend on.
  private let numbers: [Int]
  private let losses = Lock([FileFailure]())

  init(
    _ store: PictureStore, labels: [Int], classes: [String], preprocessing: Preprocessing,
    failures: [FileFailure] = []
  ) {
    (self.store, self.labels, self.classes) = (store, labels, classes)
    (self.preprocessing, self.failures) = (preprocessing, failures)
    numbers = Array(labels.indices)
  }

  private init(_ other: LabelledImages, keeping indices: [Int]) {
    (store, classes) = (other.store.keeping(indices), other.classes)
    labels = indices.map { other.labels[$0] }
    numbers = indices.map { other.numbers[$0] }
    (failures, preprocessing) = (other.failures, other.preprocessing)
    (augmentation, seed) = (other.augmentation, other.seed)
    (isStrict, threads) = (other.isStrict, other.threads)
  }

  public var count: Int { labels.count }
  /// Files that could not be read when their turn came.
  public var missing: [FileFailure] { losses.withLock { $0 } }
  /// The file of each picture; those of a set in one file are the same.
  public var files: [URL] { (0..<count).map { store.url($0) } }

  /// How many pictures each class has.
  public var countsPerClass: [Int] {
    labels.reduce(into: [Int](repeating: 0, count: classes.count)) { $0[$1] += 1 }
  }

  /// Weights for `WeightedSampler` that make classes come equally often.
  public var balancingWeights: [Double] {
    let counts = countsPerClass
    return labels.map { 1 / Double(counts[$0]) }
  }

  /// The pictures at these places, in this order.
  public func keeping(_ indices: [Int]) -> LabelledImages {
    let sound = indices.filter { $0 >= 0 && $0 < count }
    if sound.count != indices.count {
      Diagnostic.report(
        Diagnostic(
          operation: "keeping", reason: "there are no such pictures", facts: ["pictures \(count)"],
          hint: "use 0..<\(count)"))
    }
    return LabelledImages(self, keeping: sound)
  }

  /// Splits at random into parts that have the same share of every class, up to rounding.
  public func split(_ fractions: [Double], seed: UInt64) -> [LabelledImages] {
    stratifiedSplit(fractions, by: labels, seed: seed).map { keeping($0.indices) }
  }

  /// The same pictures, changed at random anew every epoch.
  public func augmented(_ augmentation: Augmentation?, seed: UInt64) -> LabelledImages {
    var copy = self
    (copy.augmentation, copy.seed) = (augmentation, seed)
    return copy
  }

  /// A number that changes when the files do: of their names, sizes and labels. Reading the pictures
  /// to tell would take long.
  public var digest: UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ bytes: some Sequence<UInt8>) {
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
    for index in 0..<count {
      let size = (try? store.bytes(index)?.count) ?? 0
      add(store.url(index).lastPathComponent.utf8)
      add("/\(size)/\(classes[labels[index]])/\(numbers[index]) ".utf8)
    }
    return hash
  }
}

extension LabelledImages {
  /// Shape of a sample, [3, H, W]; nil where that depends on the picture.
  public var sampleShape: [Int]? {
    (augmentation?.outputSize ?? preprocessing.outputSize).map { [3] + $0 }
  }

  /// A picture as it is in the file.
  public func image(at index: Int) throws -> Image {
    try checkIndex(index, count)
    return try store.part(index) { PixelRectangle(width: $0.width, height: $0.height) }.image
  }

  /// A picture as the network sees it in an epoch, still of bytes, and without erasing.
  public func picture(at index: Int, epoch: Int = 0) throws -> Image {
    try checkIndex(index, count)
    var generator = generator(index, epoch)
    return try picture(index, &generator)
  }

  public func sample(at index: Int) throws -> Example {
    try sample(at: index, epoch: 0)
  }

  public func sample(at index: Int, epoch: Int) throws -> Example {
    try checkIndex(index, count)
    var generator = generator(index, epoch)
    let features = Normalization(preprocessing).tensor(try picture(index, &generator))
    return Example(
      features: augmentation?.erasing?(features, using: &generator) ?? features,
      label: Tensor(Int64(labels[index]), dtype: .int64))
  }

  public func batch(at indices: [Int], epoch: Int) throws -> Batch {
    for index in indices { try checkIndex(index, count) }
    let size = try batchSize(indices)
    let normalization = Normalization(preprocessing)
    let batch = try preprocessedBatch(indices.count, size: size, threads: threads) {
      place, planes in
      var generator = generator(indices[place], epoch)
      do {
        normalization.write(try picture(indices[place], &generator).matching(size), to: planes)
      } catch {
        return try failure(indices[place], error)
      }
      augmentation?.erasing?.erase(planes, [3] + size, using: &generator)
      return nil
    }
    try judge(batch.failures, of: indices.count)
    return Batch(
      features: batch.features,
      labels: Tensor(batch.indices.map { Int64(labels[indices[$0]]) }))
  }

  /// A file that cannot be read is a failure; a mistake in the program is thrown.
  private func failure(_ index: Int, _ error: any Error) throws -> FileFailure {
    guard error is DataError else { throw error }
    return FileFailure(file: store.url(index), index: index, error)
  }

  /// Height and width that all pictures of a batch get.
  private func batchSize(_ indices: [Int]) throws -> [Int] {
    if let size = augmentation?.outputSize ?? preprocessing.outputSize { return size }
    guard let first = indices.first else { return [0, 0] }
    let picture = try picture(at: first)
    return [picture.height, picture.width]
  }

  private func judge(_ failures: [FileFailure], of count: Int) throws {
    guard let first = failures.first else { return }
    losses.withLock { losses in
      for failure in failures where !losses.contains(where: { $0.file == failure.file }) {
        losses.append(failure)
      }
    }
    guard !isStrict && failures.count < count else {
      throw DataError(
        .invalid, file: first.file.path, reason: first.reason,
        hint: isStrict
          ? "leave the file out, or let isStrict be false"
          : "no picture of the batch could be read; are the files still there?")
    }
  }

  private func generator(_ index: Int, _ epoch: Int) -> SeededGenerator {
    SeededGenerator(seed: seed).forked(UInt64(bitPattern: Int64(epoch)))
      .forked(UInt64(bitPattern: Int64(numbers[index])))
  }

  private func picture(_ index: Int, _ generator: inout SeededGenerator) throws -> Image {
    guard let augmentation else { return try store.cropped(index, by: preprocessing) }
    guard augmentation.outputSize != nil else {
      return try augmentation(try store.cropped(index, by: preprocessing), using: &generator)
    }
    guard let first = augmentation.transforms.first as? RandomResizedCrop else {
      let whole = try store.part(index) { PixelRectangle(width: $0.width, height: $0.height) }
      return try augmentation(whole.image, using: &generator)
    }
    // Only the part that is kept needs to be decoded.
    var area = PixelRectangle(width: 0, height: 0)
    let part = try store.part(index) { size in
      area = first.area(of: size, using: &generator)
      return area
    }
    let crop = part.image.cropped(
      x: area.x - part.x, y: area.y - part.y, width: area.width, height: area.height)
    return try Augmentation(Array(augmentation.transforms.dropFirst()))(
      first.resized(crop), using: &generator)
  }
}

extension Image {
  /// The picture, if it has this height and width.
  fileprivate func matching(_ size: [Int]) throws -> Image {
    guard [height, width] != size else { return self }
    throw Diagnostic(
      operation: "LabelledImages", reason: "pictures of a batch must get one size",
      facts: ["one is \(height)×\(width), another \(size[0])×\(size[1]) (height × width)"],
      hint: "give the preprocessing a crop, or resize: .exactly(height:width:)")
  }
}
