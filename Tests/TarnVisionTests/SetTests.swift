import Foundation
import Tarn
import TarnData
import Testing

@Suite struct SetTests {
  /// A folder with two classes and everything that goes wrong in such folders.
  private func trickyFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let sound = try testImage(40, 30).encoded(as: .jpeg)
    for i in 0..<6 {
      try folder.write(
        testImage(30 + i, 25, seed: UInt64(i)).encoded(as: i % 2 == 0 ? .jpeg : .png),
        to: "cat/\(i).jpg")
    }
    try folder.write(testImage(25, 31).encoded(as: .bmp), to: "dog/deep/er/a")
    try folder.write(testImage(1, 1).encoded(as: .png), to: "dog/one.png")
    try folder.write(testImage(20_000, 2).encoded(as: .jpeg), to: "dog/wide.jpg")
    try folder.write(testImage(20, 20, channels: 1).encoded(as: .netpbm), to: "dog/كلب.pgm")
    var corrupt = sound
    for i in (corrupt.count / 2)..<(corrupt.count / 2 + 60) { corrupt[i] = 0xff }
    try folder.write(corrupt, to: "cat/corrupt.jpg")
    try folder.write(Array(sound[..<200]), to: "cat/cut.jpg")
    try folder.write([], to: "cat/empty.jpg")
    try folder.write(Array("no picture".utf8), to: "dog/text.jpg")
    try folder.write(Array("who made these".utf8), to: "dog/README")
    try folder.write(sound, to: "dog/.hidden.jpg")
    try folder.write(sound, to: ".git/x.jpg")
    try folder.write(Array("none here".utf8), to: "bird/notes.txt")
    return folder
  }

  private let small = Preprocessing(resize: .shortSide(12), crop: [10, 10])

  @Test func aFolderWithAllSortsOfTroubleIsRead() throws {
    let folder = try trickyFolder()
    for checking in [LabelledImages.Checking.contents, .headers] {
      let images = try LabelledImages(
        classFolders: folder.url, preprocessing: small, options: .init(checking: checking))
      #expect(images.classes == ["cat", "dog"])
      let names = images.failures.map(\.file.lastPathComponent)
      let isThorough = checking == .contents
      let unreadable = ["empty.jpg", "text.jpg"]
      // A header alone does not tell that the rest is missing.
      let wanted = isThorough ? ["corrupt.jpg", "cut.jpg"] + unreadable : unreadable
      #expect(names.filter { isThorough || $0 != "cut.jpg" } == wanted, "\(images.failures)")
      if isThorough {
        #expect(images.count == 10 && images.countsPerClass == [6, 4])
        let batch = try images.all()
        #expect(batch.features.shape == [10, 3, 10, 10] && images.missing.isEmpty)
        #expect(batch.labels.array(of: Int.self) == images.labels)
      }
    }
    expectDataError(.invalid, "jpg") {
      _ = try LabelledImages(
        classFolders: folder.url, preprocessing: small, options: .init(isStrict: true))
    }
  }

  @Test func foldersWithoutPicturesAreRefused() throws {
    let folder = try TemporaryFolder()
    expectDataError(.invalid, "has no folders") { _ = try LabelledImages(classFolders: folder.url) }
    try folder.write(testImage(3, 3).encoded(as: .png), to: "loose.png")
    expectDataError(.invalid, "put the pictures of each class") {
      _ = try LabelledImages(classFolders: folder.url)
    }
    try folder.write(Array("text".utf8), to: "class/notes.txt")
    expectDataError(.invalid, "holds no pictures") {
      _ = try LabelledImages(classFolders: folder.url)
    }
    try folder.write([], to: "class/a.jpg")
    expectDataError(.invalid, "none can be read", "empty") {
      _ = try LabelledImages(classFolders: folder.url)
    }
    expectDataError(.missing, "there is no such folder") {
      _ = try LabelledImages(classFolders: folder.file("nowhere"))
    }
  }

  @Test func samplesAndBatchesAgree() throws {
    let folder = try trickyFolder()
    let images = try LabelledImages(classFolders: folder.url, preprocessing: small)
    let order = [7, 0, 9, 3]
    let batch = try images.batch(at: order, epoch: 0)
    for (row, index) in order.enumerated() {
      let example = try images.sample(at: index)
      #expect(batch.features[row].bytes() == example.features.bytes())
      #expect(batch.labels[row].array(of: Int.self) == example.label.array(of: Int.self))
      let direct = try small(Image(contentsOf: images.files[index]))
      #expect(example.features.bytes() == direct.bytes())
    }
    #expect(throws: Diagnostic.self) { _ = try images.sample(at: 10) }
  }

  @Test func randomChangesDependOnSampleEpochAndSeedOnly() throws {
    let folder = try trickyFolder()
    let augmentation = Augmentation(
      [
        RandomResizedCrop(10), RandomHorizontalFlip(), RandomRotation(20),
        ColourJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1), RandAugment(),
      ], erasing: RandomErasing(filling: .noise))
    let images = try LabelledImages(classFolders: folder.url, preprocessing: small)
    var one = images.augmented(augmentation, seed: 4)
    one.threads = 1
    let wanted = try one.batch(at: Array(0..<10), epoch: 2)
    for threads in [2, 4] {
      one.threads = threads
      #expect(
        try one.batch(at: Array(0..<10), epoch: 2).features.bytes() == wanted.features.bytes())
    }
    let turned = try one.batch(at: [9, 8], epoch: 2)
    #expect(turned.features[0].bytes() == wanted.features[9].bytes())
    let part = one.keeping([5, 8])
    #expect(try part.sample(at: 1, epoch: 2).features.bytes() == wanted.features[8].bytes())
    #expect(try one.batch(at: [0], epoch: 3).features[0].bytes() != wanted.features[0].bytes())
    let other = images.augmented(augmentation, seed: 5)
    #expect(try other.batch(at: [0], epoch: 2).features[0].bytes() != wanted.features[0].bytes())
  }

  @Test func aRandomPartIsDecodedAsIfTheWholeWere() throws {
    let folder = try TemporaryFolder()
    for i in 0..<4 {
      try folder.write(
        testImage(200 + 40 * i, 300, seed: UInt64(i)).encoded(as: .jpeg), to: "a/\(i).jpg")
    }
    let crop = RandomResizedCrop([14, 12], scale: 0.05...0.4)
    let images = try LabelledImages(classFolders: folder.url)
    let fast = images.augmented(Augmentation([crop]), seed: 1)
    // Behind another transform it is no longer the first, and the whole picture is decoded.
    let slow = images.augmented(
      Augmentation([RandomHorizontalFlip(probability: -1), crop]), seed: 1)
    for index in 0..<4 {
      var generator = SeededGenerator(seed: 1).forked(7).forked(UInt64(index))
      let wanted = try crop(images.image(at: index), using: &generator)
      #expect(try fast.picture(at: index, epoch: 7) == wanted)
      #expect(try slow.picture(at: index, epoch: 7).width == 12)
    }
  }

  @Test func partsKeepTheShareOfEveryClass() throws {
    let folder = try TemporaryFolder()
    for (name, count) in [("a", 10), ("b", 20)] {
      for i in 0..<count {
        try folder.write(
          testImage(9, 9, seed: UInt64(i)).encoded(as: .png), to: "\(name)/\(i).png")
      }
    }
    let cut = try ImageFolder(folder.url, validation: 0.2, test: 0.1, seed: 3)
    #expect(cut.train.countsPerClass == [7, 14])
    #expect(cut.validation?.countsPerClass == [2, 4] && cut.test?.countsPerClass == [1, 2])
    let again = try ImageFolder(folder.url, validation: 0.2, test: 0.1, seed: 3)
    #expect(again.train.files == cut.train.files && again.train.digest == cut.train.digest)
    let other = try ImageFolder(folder.url, validation: 0.2, test: 0.1, seed: 4)
    #expect(other.train.files != cut.train.files)
    let all = Set(cut.train.files + (cut.validation?.files ?? []) + (cut.test?.files ?? []))
    #expect(all.count == 30)
    let weights = cut.train.balancingWeights
    let sum = weights.reduce(0, +)
    #expect(abs(sum - 2) < 1e-12 && Set(weights).count == 2)
  }

  @Test func foldersOfTheirOwnMakeTheParts() throws {
    let folder = try TemporaryFolder()
    let picture = try testImage(9, 9).encoded(as: .png)
    for name in ["train/b/1", "train/a/1", "train/a/2", "Val/b/1", "val2/c/1", "test/a/1"] {
      try folder.write(picture, to: "\(name).png")
    }
    let cut = try ImageFolder(folder.url)
    #expect(cut.classes == ["a", "b"] && cut.train.labels == [0, 0, 1])
    #expect(cut.validation?.labels == [1] && cut.test?.labels == [0])
  }

  @Test func aTableNamesFilesAndClasses() throws {
    let folder = try TemporaryFolder()
    let picture = try testImage(9, 9).encoded(as: .png)
    for name in ["x/1.png", "x/2.png", "x/3.png"] { try folder.write(picture, to: name) }
    let text =
      "width,breed,file\n9,Siamese,x/1.png\n9,Abyssinian,x/2.png\n,Siamese,x/3.png\n9,Bengal,x/9.png\n"
    let table = try folder.write(Array(text.utf8), to: "labels.csv")
    let images = try LabelledImages(table: table, labelColumn: "breed", preprocessing: small)
    #expect(images.classes == ["Abyssinian", "Siamese"] && images.labels == [1, 0, 1])
    #expect(images.failures.count == 1)
    expectDataError(.invalid, "no column 'label'", "breed") {
      _ = try LabelledImages(table: table)
    }
    let asked = try LabelledImages(
      table: table, labelColumn: "breed", classes: ["Siamese", "Bengal"], preprocessing: small)
    #expect(asked.labels == [0, 0] && asked.classes == ["Siamese", "Bengal"])
  }

  @Test func picturesThatVanishAreLeftOutAndListed() throws {
    let folder = try TemporaryFolder()
    var files: [URL] = []
    for i in 0..<3 {
      files.append(
        try folder.write(testImage(9, 9, seed: UInt64(i)).encoded(as: .png), to: "a/\(i).png"))
    }
    var images = try LabelledImages(classFolders: folder.url, preprocessing: small)
    let cached = try LabelledImages(
      classFolders: folder.url, preprocessing: small, options: .init(cachedBytes: 1 << 20))
    try FileManager.default.removeItem(at: files[1])
    let batch = try images.batch(at: [0, 1, 2], epoch: 0)
    #expect(batch.features.shape == [2, 3, 10, 10] && batch.labels.shape == [2])
    #expect(images.missing.map(\.file.lastPathComponent) == ["1.png"])
    expectDataError(.invalid, "1.png") { _ = try images.batch(at: [1], epoch: 0) }
    images.isStrict = true
    expectDataError(.invalid, "1.png") { _ = try images.batch(at: [0, 1], epoch: 0) }
    #expect(try cached.batch(at: [0, 1, 2], epoch: 0).count == 3)
  }

  @Test func theCacheIsBounded() throws {
    let folder = try TemporaryFolder()
    let files = try (0..<5).map { try folder.write([UInt8](repeating: 7, count: 100), to: "\($0)") }
    let cache = ByteCache(limit: 250)
    for file in files + files { #expect(try cache.bytes(of: file).count == 100) }
    #expect(cache.count == 200)
  }

  @Test func cifarIsReadFromItsBinaryFiles() throws {
    let folder = try TemporaryFolder()
    func records(_ labels: [UInt8]) -> [UInt8] {
      var bytes: [UInt8] = []
      for label in labels {
        bytes.append(label)
        for i in 0..<3072 { bytes.append(UInt8(truncatingIfNeeded: i / 12 + Int(label))) }
      }
      return bytes
    }
    try folder.write(records([3, 9]), to: "data_batch_1.bin")
    try folder.write(records([0]), to: "data_batch_2.bin")
    try folder.write(records([5]), to: "test_batch.bin")
    let cifar = try CIFAR10(folder: folder.url)
    #expect(cifar.train.labels == [3, 9, 0] && cifar.test?.labels == [5])
    let picture = try cifar.train.image(at: 1)
    #expect(picture[0, 0] == [9, 94, 179] && picture[31, 31].count == 3)
    let batch = try cifar.train.batch(at: [2, 0], epoch: 0)
    #expect(batch.features.shape == [2, 3, 32, 32])
    let corner: Double = batch.features[0, 1, 0, 0].item()
    let scaled: Double = (85.0 / 255 - 0.4822) / 0.2435
    #expect(abs(corner - scaled) < 1e-6)
    try folder.write(records([10]), to: "data_batch_2.bin")
    expectDataError(.invalid, "label 10") { _ = try CIFAR10(folder: folder.url) }
    try folder.write([1, 2], to: "data_batch_2.bin")
    expectDataError(.invalid, "3073") { _ = try CIFAR10(folder: folder.url) }
    expectDataError(.missing, "data_batch_1.bin") {
      _ = try CIFAR10(folder: folder.file("nowhere"))
    }
  }

  @Test func aModelLearnsFromAFolder() throws {
    let folder = try TemporaryFolder()
    for i in 0..<24 {
      let shade = UInt8(60 + 5 * i)
      let colour: [UInt8] = i % 2 == 0 ? [shade, 20, 20] : [20, 20, shade]
      try folder.write(
        Image(width: 12, height: 12, filledWith: colour).encoded(as: .png),
        to: "\(i % 2 == 0 ? "red" : "blue")/\(i).png")
    }
    try folder.write([1, 2, 3], to: "red/broken.png")
    let images = try LabelledImages(
      classFolders: folder.url, preprocessing: Preprocessing(resize: .none, crop: [8, 8]))
    #expect(images.failures.count == 1)
    var model = LinearClassifier(inputShape: [3, 8, 8], classes: 2)
    var options = TrainingOptions()
    (options.epochs, options.batchSize, options.learningRate) = (4, 8, 0.01)
    let train = images.augmented(Augmentation([RandomHorizontalFlip()]), seed: 0)
    try fit(&model, Classification(), train: train, options: options)
    let result = try evaluate(model, Classification(), on: images)
    #expect(result["accuracy"] == 1)
  }
}
