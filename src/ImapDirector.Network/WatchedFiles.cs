namespace ImapDirector.Network;

/// <summary>What was read from a file, or from the files of a directory, and is read again when they change. Looked at by whoever asks for the value, and at
/// most every few seconds; what cannot be used leaves the value as it was.</summary>
/// <typeparam name="T">What is made of them.</typeparam>
public sealed class WatchedFiles<T> where T : class
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    private readonly string _path;
    private readonly string _pattern;
    private readonly Func<IReadOnlyList<string>, T> _read;
    private readonly Action<string?> _told;
    private readonly TimeProvider _time;
    private readonly Lock _looking = new();
    private volatile T _current;
    private string _seen;
    private long _lookedAt;

    /// <summary>Reads them.</summary>
    /// <param name="path">A file, or a directory.</param>
    /// <param name="pattern">Which files of a directory, such as <c>*.pem</c>.</param>
    /// <param name="read">Makes the value of the files' names; throws <see cref="InvalidDataException"/>.</param>
    /// <param name="told">Hears of each change: <c>null</c>, or why it could not be used.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="InvalidDataException">They cannot be used.</exception>
    public WatchedFiles(string path, string pattern, Func<IReadOnlyList<string>, T> read, Action<string?> told, TimeProvider time)
    {
        (_path, _pattern, _read, _told, _time) = (path, pattern, read, told, time);
        (_seen, _lookedAt) = (Look(), time.GetTimestamp());
        _current = read(Files());
    }

    /// <summary>The value as of a few seconds ago at the most.</summary>
    public T Current
    {
        get
        {
            if (_time.GetElapsedTime(Volatile.Read(ref _lookedAt)) >= LookInterval && _looking.TryEnter())
            {
                try
                {
                    Refresh();
                }
                finally
                {
                    _looking.Exit();
                }
            }
            return _current;
        }
    }

    private void Refresh()
    {
        Volatile.Write(ref _lookedAt, _time.GetTimestamp());
        try
        {
            var seen = Look();
            if (seen == _seen) return;
            _seen = seen;
            _current = _read(Files());
            _told(null);
        }
        catch (InvalidDataException unusable)
        {
            _told(unusable.Message);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            _told($"\"{_path}\" cannot be read ({unreadable.GetType().Name})");
        }
    }

    private string[] Files()
    {
        if (!Directory.Exists(_path)) return [_path];
        var files = Directory.GetFiles(_path, _pattern);
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }

    /// <summary>What shows that files have changed: their names, lengths and times.</summary>
    private string Look() => string.Join('\n', Files().Select(static file =>
    {
        var info = new FileInfo(file);
        return info.Exists ? $"{file} {info.Length} {info.LastWriteTimeUtc.Ticks}" : file;
    }));
}
