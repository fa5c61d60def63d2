"""Types of the packages that Java code imports whole most often."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


JAVA_LANG = _words("""
    AbstractMethodError Appendable ArithmeticException ArrayIndexOutOfBoundsException ArrayStoreException
    AssertionError AutoCloseable Boolean Byte CharSequence Character Class ClassCastException ClassLoader
    ClassNotFoundException CloneNotSupportedException Cloneable Comparable Deprecated Double Enum Error Exception
    ExceptionInInitializerError Float FunctionalInterface IllegalAccessException IllegalArgumentException
    IllegalMonitorStateException IllegalStateException IndexOutOfBoundsException InheritableThreadLocal
    InstantiationException Integer InterruptedException Iterable LinkageError Long Math Module
    NegativeArraySizeException NoClassDefFoundError NoSuchFieldException NoSuchMethodException
    NullPointerException Number NumberFormatException Object OutOfMemoryError Override Package Process
    ProcessBuilder Readable Record ReflectiveOperationException Runnable Runtime RuntimeException SafeVarargs
    ScopedValue SecurityException Short StackOverflowError StackTraceElement StackWalker StrictMath String
    StringBuffer StringBuilder StringIndexOutOfBoundsException SuppressWarnings System Thread ThreadGroup
    ThreadLocal Throwable UnsupportedOperationException VirtualMachineError Void
""")

PACKAGES = {
    "java.util": _words("""
        AbstractCollection AbstractList AbstractMap AbstractQueue AbstractSequentialList AbstractSet ArrayDeque
        ArrayList Arrays Base64 BitSet Calendar Collection Collections Comparator
        ConcurrentModificationException Currency Date Deque Dictionary EmptyStackException EnumMap EnumSet
        Enumeration EventListener EventObject Formatter GregorianCalendar HashMap HashSet Hashtable IdentityHashMap
        IntSummaryStatistics Iterator LinkedHashMap LinkedHashSet LinkedList List ListIterator Locale
        LongSummaryStatistics Map MissingResourceException NavigableMap NavigableSet NoSuchElementException Objects
        Observable Observer Optional OptionalDouble OptionalInt OptionalLong PrimitiveIterator PriorityQueue
        Properties Queue Random RandomAccess ResourceBundle Scanner ServiceLoader Set SimpleTimeZone SortedMap
        SortedSet Spliterator Spliterators Stack StringJoiner StringTokenizer TimeZone Timer TimerTask TreeMap
        TreeSet UUID Vector WeakHashMap
"""),
    "java.util.function": _words("""
        BiConsumer BiFunction BiPredicate BinaryOperator BooleanSupplier Consumer DoubleFunction DoubleSupplier
        Function IntBinaryOperator IntConsumer IntFunction IntPredicate IntSupplier IntUnaryOperator LongFunction
        LongSupplier LongUnaryOperator Predicate Supplier ToDoubleFunction ToIntFunction ToLongFunction
        UnaryOperator
"""),
    "java.util.stream": frozenset(
        [
            "BaseStream",
            "Collector",
            "Collectors",
            "DoubleStream",
            "IntStream",
            "LongStream",
            "Stream",
            "StreamSupport",
        ]
    ),
    "java.util.regex": frozenset(["MatchResult", "Matcher", "Pattern", "PatternSyntaxException"]),
    "java.util.concurrent": _words("""
        ArrayBlockingQueue BlockingDeque BlockingQueue BrokenBarrierException Callable CancellationException
        CompletableFuture CompletionException CompletionService CompletionStage ConcurrentHashMap
        ConcurrentLinkedDeque ConcurrentLinkedQueue ConcurrentMap ConcurrentSkipListMap ConcurrentSkipListSet
        CopyOnWriteArrayList CopyOnWriteArraySet CountDownLatch CyclicBarrier DelayQueue Delayed ExecutionException
        Executor ExecutorService Executors ForkJoinPool ForkJoinTask Future FutureTask LinkedBlockingDeque
        LinkedBlockingQueue Phaser PriorityBlockingQueue RecursiveAction RecursiveTask RejectedExecutionException
        ScheduledExecutorService ScheduledFuture Semaphore SynchronousQueue ThreadFactory ThreadLocalRandom
        ThreadPoolExecutor TimeUnit TimeoutException
"""),
    "java.io": _words("""
        BufferedInputStream BufferedOutputStream BufferedReader BufferedWriter ByteArrayInputStream
        ByteArrayOutputStream CharArrayReader Closeable Console DataInput DataInputStream DataOutput
        DataOutputStream EOFException Externalizable File FileFilter FileInputStream FileNotFoundException
        FileOutputStream FileReader FileWriter FilenameFilter FilterInputStream FilterOutputStream Flushable
        IOException InputStream InputStreamReader LineNumberReader NotSerializableException ObjectInput
        ObjectInputStream ObjectOutput ObjectOutputStream OutputStream OutputStreamWriter PipedInputStream
        PipedOutputStream PrintStream PrintWriter PushbackReader RandomAccessFile Reader SequenceInputStream
        Serializable StreamTokenizer StringReader StringWriter UncheckedIOException UnsupportedEncodingException
        Writer
"""),
    "java.nio.file": _words("""
        DirectoryStream FileAlreadyExistsException FileSystem FileSystems FileVisitOption FileVisitResult
        FileVisitor Files InvalidPathException LinkOption NoSuchFileException OpenOption Path PathMatcher Paths
        SimpleFileVisitor StandardCopyOption StandardOpenOption WatchEvent WatchKey WatchService
"""),
    "java.net": _words("""
        ConnectException DatagramPacket DatagramSocket HttpURLConnection InetAddress InetSocketAddress
        MalformedURLException NetworkInterface Proxy ServerSocket Socket SocketAddress SocketException
        SocketTimeoutException URI URISyntaxException URL URLConnection URLDecoder URLEncoder UnknownHostException
"""),
    "java.math": frozenset(["BigDecimal", "BigInteger", "MathContext", "RoundingMode"]),
    "java.time": _words("""
        Clock DateTimeException DayOfWeek Duration Instant LocalDate LocalDateTime LocalTime Month MonthDay
        OffsetDateTime OffsetTime Period Year YearMonth ZoneId ZoneOffset ZonedDateTime
"""),
}
"""Public types by package."""
