import Tarn

extension DataSet {
  /// All of them. Digests of MNIST's and CIFAR-10's files are those of their first publication.
  static let all: [DataSet] = [
    digits, mnist, fashion, cifar10, pets, shakespeare, names,
  ]

  private static let digits = DataSet(
    name: "digits", title: "handwritten digits (8×8)",
    samples: "1,797 grey pictures of 8×8, 10 classes", licence: "CC BY 4.0",
    source: "E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998", resources: [],
    use: "tarn train images digits")

  private static let mnist = DataSet(
    name: "mnist", title: "MNIST", samples: "60,000 + 10,000 grey pictures of 28×28, 10 classes",
    licence: "CC BY-SA 3.0", source: "Y. LeCun, C. Cortes, C. Burges, after NIST",
    resources: idx(
      "https://ossci-datasets.s3.amazonaws.com/mnist/",
      [
        (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
      ]),
    use: "tarn train images mnist --data DIR")

  private static let fashion = DataSet(
    name: "fashion", title: "Fashion-MNIST",
    samples: "60,000 + 10,000 grey pictures of 28×28, 10 classes", licence: "MIT",
    source: "H. Xiao, K. Rasul, R. Vollgraf (Zalando), 2017",
    resources: idx(
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
      [
        (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
      ]),
    use: "tarn train images fashion --data DIR")

  static let cifar10 = DataSet(
    name: "cifar10", title: "CIFAR-10",
    samples: "50,000 + 10,000 colour pictures of 32×32, 10 classes", licence: "none stated",
    source: "A. Krizhevsky, V. Nair, G. Hinton, 2009",
    resources: [
      Resource(
        file: "cifar-10-binary.tar.gz",
        url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")
    ], form: .archive(folder: "cifar-10-batches-bin"), use: "tarn train images cifar10 --data DIR")

  private static let pets = DataSet(
    name: "pets", title: "Oxford-IIIT Pets", samples: "7,390 photos, 37 breeds of cats and dogs",
    licence: "CC BY-SA 4.0", source: "O. Parkhi, A. Vedaldi, A. Zisserman, C. V. Jawahar, 2012",
    resources: [
      Resource(
        file: "images.tar.gz", url: "https://thor.robots.ox.ac.uk/~vgg/data/pets/images.tar.gz",
        bytes: 791_918_971)
    ], form: .archive(folder: "images", groups: true), use: "tarn train images DIR"
  )

  private static let shakespeare = DataSet(
    name: "shakespeare", title: "Shakespeare's plays, a part",
    samples: "1,115,394 characters, 65 of them different", licence: "public domain",
    source: "A. Karpathy, char-rnn, 2015",
    resources: [
      Resource(
        file: "input.txt",
        url: "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/"
          + "input.txt",
        bytes: 1_115_394,
        sha256: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed")
    ],
    use: "tarn train text DIR/input.txt")

  private static let names = DataSet(
    name: "names", title: "first names", samples: "32,033 names, one a line",
    licence: "public domain", source: "US Social Security Administration; A. Karpathy, makemore",
    resources: [
      Resource(
        file: "names.txt",
        url: "https://raw.githubusercontent.com/karpathy/makemore/master/names.txt",
        bytes: 228_145,
        sha256: "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d")
    ],
    use: "tarn train text DIR/names.txt")

  /// The four files of MNIST and the sets in its form.
  private static func idx(_ base: String, _ sums: [(bytes: Int, sha256: String)]) -> [Resource] {
    let files = [
      "train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1",
    ]
    return zip(files, sums).map { file, sum in
      let name = "\(file)-ubyte.gz"
      return Resource(file: name, url: base + name, bytes: sum.bytes, sha256: sum.sha256)
    }
  }
}
