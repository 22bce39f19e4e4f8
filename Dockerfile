# Build with: docker build -t imapdirector .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/ImapDirector -c Release -o /app -p:RestoreLockedMode=true

FROM mcr.microsoft.com/dotnet/aspnet:10.0
COPY --from=build /app /app
# The image's own unprivileged user; everything it may write is in /data.
RUN mkdir -m 0700 /data && chown "$APP_UID" /data
USER $APP_UID
# Nobody may attach a debugger, nor have a dump made of passwords and mail.
ENV DOTNET_EnableDiagnostics=0
VOLUME /data
WORKDIR /data
EXPOSE 1143 1993 1124
ENTRYPOINT ["/app/imapdirector"]
# Stand-alone by default. A role is run as: docker run … imapdirector node --config /etc/imapdirector/node.json
CMD ["standalone", "--data", "/data", "--address", "0.0.0.0"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["/app/imapdirector", "health"]
