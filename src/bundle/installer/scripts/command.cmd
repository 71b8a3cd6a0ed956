@echo off
rem @marker@
rem The command of @product@: runs the installer image in the Docker Engine. Files are those of the current folder.
setlocal
set "image=@image@"
set "terminal=--interactive --tty"
if defined SLIPWAY_NO_TTY set "terminal="
set "verb=%~1"
rem One word after the other: a bracket in one of them would end a list.
:look
if "%~1"=="--json" set "terminal="
shift /1
if not "%~1"=="" goto look
docker run --rm --pull never %terminal% @container_options@ --env "SLIPWAY_HOST_ADDRESSES=@addresses@" --label "io.slipway.verb=%verb%" --user 0:0 --cap-add DAC_OVERRIDE --pid host --mount "type=bind,src=/var/run/docker.sock,dst=/var/run/docker.sock" --volume "%CD%:/work" --workdir /work %image% %*
set "code=%ERRORLEVEL%"
if not "%code%"=="125" goto done
docker image inspect %image% >nul 2>nul
if errorlevel 1 echo @command@: The image of this command is no longer in the Docker Engine; bring it back with install.ps1 1>&2
set "code=1"
:done
if "%code%"=="0" if "%verb%"=="uninstall" echo To remove this command and its image too: docker image rm %image% ^&^& del "%~f0" 1>&2
exit /b %code%
